//! The simulated Kubernetes v1.36 cluster: etcd, API server, controllers, scheduler, kubelet, runtime, network, faults.
