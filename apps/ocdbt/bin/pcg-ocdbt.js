#!/usr/bin/env node
// Linked when the package is installed, before a checkout has been built.
import "../dist/main.js";
