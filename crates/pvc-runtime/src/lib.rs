//! The reconciler loop, configuration loading and logging.
