"""The demo: a whole JupyterHub on one machine, with a few people who may start different things."""
