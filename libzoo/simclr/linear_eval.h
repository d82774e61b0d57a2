// `zoo-simclr linear-eval`: a linear classifier on features that stay as they are, SimCLR's measure of an encoder.
#pragma once

#include <libzoo/core/json.h>
#include <libzoo/simclr/linear_eval_options.h>
#include <libzoo/train/run.h>

namespace zoo::simclr {

// Features are computed once and kept. A classifier is trained for each of the rates at the same time, by SGD with Nesterov momentum
// from zero. Returns {rate, top1, top5} of the best and a row for each rate; with options.logistic also of a logistic regression to
// convergence. Leaves model.safetensors with the best classifier. Null after a signal.
Json linear_eval(const LinearEvalOptions& options, train::Run& run);

}  // namespace zoo::simclr
