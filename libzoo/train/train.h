// The door of this room: runs and what the command line says about them.
#pragma once
#include <libzoo/train/run.h>
#include <libzoo/train/run_options.h>
