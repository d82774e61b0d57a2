// What a person would want to hear before waiting for a fine-tuning: data, classes or resolution that don't fit.
#pragma once

#include <libzoo/bit/checkpoint.h>
#include <libzoo/bit/hyper_rule.h>
#include <libzoo/core/json.h>
#include <libzoo/data/image_dataset.h>

#include <cstdint>
#include <string>
#include <vector>

namespace zoo::bit {

std::vector<int64_t> class_counts(const data::ImageDataset& dataset);  // pictures of each class

// {classes, fewest: {class, images}, most: {class, images}, imbalance}: how many times as many the largest class has as the
// smallest, null if that has none.
Json class_report(const data::ImageDataset& dataset);

// A sentence each, none if all is well: classes without pictures or of very different sizes, batches larger than the set,
// pictures far from the size that the network will see, and that size far from what the checkpoint was trained at. `start`
// is null if training starts from scratch.
std::vector<std::string> hints(const data::ImageDataset& train, const HyperRule& rule, const Checkpoint* start, int64_t batch_size);

}  // namespace zoo::bit
