"""The modules whose kinds a worker has when it is told of no others."""

SANDBOX = "workers.sandbox"  # stands for its kind among the modules, and is none that is loaded
BUILT_IN = ("workers.handlers.demo", "workers.handlers.montecarlo", SANDBOX)
