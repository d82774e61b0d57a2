// The door of this room: layers that two or more systems share.
#pragma once
#include <libzoo/nn/batch_norm.h>
#include <libzoo/nn/bias_conv.h>
#include <libzoo/nn/convolution.h>
#include <libzoo/nn/cpu_allocator.h>
#include <libzoo/nn/feature_pyramid.h>
#include <libzoo/nn/group_norm.h>
#include <libzoo/nn/initialisers.h>
#include <libzoo/nn/max_pool.h>
#include <libzoo/nn/norm_conv.h>
#include <libzoo/nn/res_net.h>
#include <libzoo/nn/res_net_v2.h>
#include <libzoo/nn/scope.h>
#include <libzoo/nn/std_conv.h>
