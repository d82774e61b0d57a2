// The door of this room: streams, data sets and batches of pictures.
#pragma once

#include <libzoo/data/bucket.h>
#include <libzoo/data/cache.h>
#include <libzoo/data/cached_dataset.h>
#include <libzoo/data/detection_batches.h>
#include <libzoo/data/echo.h>
#include <libzoo/data/image_batches.h>
#include <libzoo/data/image_dataset.h>
#include <libzoo/data/interleave.h>
#include <libzoo/data/loader.h>
#include <libzoo/data/map.h>
#include <libzoo/data/prefetch.h>
#include <libzoo/data/shuffle.h>
#include <libzoo/data/sources.h>
#include <libzoo/data/stages.h>
#include <libzoo/data/stream.h>
#include <libzoo/data/to_device.h>
