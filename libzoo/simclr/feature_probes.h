// What features are worth: classifiers that need no training, fitted to the features of one set and measured on those of another.
#pragma once

#include <libzoo/core/json.h>
#include <libzoo/core/options.h>
#include <libzoo/train/evaluation.h>

#include <cstdint>

namespace zoo::simclr {

struct ProbeChoice {
  int64_t k = 200;
  double temperature = 0.1;
  double l2 = 1;
};

template <class Field>
void fields(Field& field, ProbeChoice& o) {
  field("k", o.k, "nearest neighbours that vote; all of a set that has fewer", at_least(1));
  field("temperature", o.temperature, "a neighbour's vote is exp(similarity / temperature)", positive());
  field("l2", o.l2, "weight of the ridge", positive());
}

// {knn: top-1 of the weighted vote of the nearest, ridge: top-1 of a ridge regression to one-hot labels}, fractions. Throws UserError if a
// feature is not finite or a label has no class.
Json probe_features(const train::Features& train, const train::Features& test, int64_t num_classes, const ProbeChoice& options);

}  // namespace zoo::simclr
