// The door of this room.
#pragma once
#include <libzoo/optim/adam.h>
#include <libzoo/optim/lars.h>
#include <libzoo/optim/rms_prop.h>
#include <libzoo/optim/schedules.h>
#include <libzoo/optim/sgd.h>
