//! The simulated kubectl v1.36: builds requests, prints answers; speaks only the API.
