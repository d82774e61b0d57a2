// The door of this room: what is measured the same way in every field.
#pragma once
#include <libzoo/eval/accuracy.h>
#include <libzoo/eval/average_precision.h>
#include <libzoo/eval/interval.h>
#include <libzoo/eval/multi_label.h>
#include <libzoo/eval/nearest_neighbor.h>
#include <libzoo/eval/run_scores.h>
