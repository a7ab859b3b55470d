# Each target does its own set-up, in folders of this checkout that can be deleted: .venv, .tox, .jhext-demo.
.PHONY: demo test bench

demo: # a JupyterHub on this machine, with people and profiles to try
	.ci/setup demo
	.venv/bin/jhext demo

test: # everything; `tox run -e unit` and the like run a part (CONTRIBUTING.md)
	.ci/setup test
	.venv/bin/tox run

bench: # what it costs beside plain KubeSpawner: a table
	.ci/setup test
	.venv/bin/tox run -e bench
