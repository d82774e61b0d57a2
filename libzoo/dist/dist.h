// The door of this room: training on several processes.
#pragma once
#include <libzoo/dist/data_parallel.h>
#include <libzoo/dist/gather.h>
#include <libzoo/dist/group.h>
#include <libzoo/dist/place.h>
