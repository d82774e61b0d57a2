// The door of this room: contrastive learning of features (SimCLR v1 and v2).
#pragma once
#include <libzoo/simclr/checkpoint.h>
#include <libzoo/simclr/distillation.h>
#include <libzoo/simclr/names.h>
#include <libzoo/simclr/network.h>
#include <libzoo/simclr/nt_xent.h>
#include <libzoo/simclr/probes.h>
#include <libzoo/simclr/projection_head.h>
#include <libzoo/simclr/schedule.h>
#include <libzoo/simclr/views.h>
