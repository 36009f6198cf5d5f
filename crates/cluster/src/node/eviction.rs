//! Whom the kubelet evicts first, and what it says about it.
