// The door of this room: environments, replay memories, episodes.
#pragma once
#include <libzoo/rl/atari.h>
#include <libzoo/rl/catalogue.h>
#include <libzoo/rl/environment.h>
#include <libzoo/rl/exploration.h>
#include <libzoo/rl/minatar.h>
#include <libzoo/rl/pendulum.h>
#include <libzoo/rl/render.h>
#include <libzoo/rl/replay.h>
#include <libzoo/rl/rollout.h>
#include <libzoo/rl/vector_environment.h>
#include <libzoo/rl/wrappers.h>
