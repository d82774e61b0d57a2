// Options of `zoo-simclr demo`: pre-training on pictures that are drawn as they are asked for, and what the features are worth after it.
#pragma once

#include <libzoo/simclr/feature_probes.h>
#include <libzoo/simclr/linear_eval_options.h>
#include <libzoo/simclr/pretrain_options.h>

#include <map>
#include <string>

namespace zoo::simclr {

struct DemoOptions {
  PretrainOptions pretrain;
  std::map<std::string, LabelledSets> sets;
  ProbeChoice probe;
};

template <class Field>
void fields(Field& field, DemoOptions& o) {
  field("pretrain", o.pretrain, "the network whose features are measured");
  field("sets", o.sets, "labelled sets to measure them on, by a name for each", not_empty());
  field("probe", o.probe, "classifiers on the features");
}

}  // namespace zoo::simclr
