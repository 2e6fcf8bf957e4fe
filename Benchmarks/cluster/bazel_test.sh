#!/usr/bin/env bash
# Runs the program of the first word with the others; see BUILD.bazel.example.
exec "$@"
