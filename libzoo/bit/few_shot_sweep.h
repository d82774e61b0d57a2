// What a few examples per class are worth: fine-tuning by HyperRule, or a linear probe, on several random subsets of each
// size. The paper reports medians.
#pragma once

#include <libzoo/bit/few_shot_options.h>
#include <libzoo/core/json.h>
#include <libzoo/data/image_dataset.h>
#include <libzoo/io/image.h>
#include <libzoo/nn/res_net_v2.h>
#include <libzoo/train/run.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace zoo::bit {

// Places of `examples_per_class` pictures of each class, drawn by labels alone (fewshot.h: ring over a random order).
std::vector<int64_t> few_shot_indices(const data::ImageDataset& dataset, int64_t examples_per_class, uint64_t seed);
data::DatasetPointer few_shot_subset(const data::DatasetPointer& dataset, int64_t examples_per_class, uint64_t seed);

// One size of subset: `draws` of them, fine-tuned side by side. Percent: {examples per class, transferred (the mean), ± (half
// the 95 % interval), median}, and the baselines if they are asked for. `sheet`, if given, receives pictures of the test set with
// what the first draw's network says of them. Null after a signal.
Json few_shot_row(nn::ResNetV2& pretrained, const data::DatasetPointer& train, const data::DatasetPointer& test, int64_t examples_per_class,
                  const SweepOptions& options, const train::Run& run, io::Image* sheet = nullptr);

// `zoo-bit fewshot`: a row for each size. Returns {top-1 %: rows, picture}; null after a signal.
Json few_shot(const FewShotOptions& options, train::Run& run);

// `zoo-bit probe`: the same of a linear probe on the features (fewshot_lsr), with the subsets that few_shot() draws from this seed.
Json probe(const ProbeOptions& options, uint64_t seed, const at::Device& device);

}  // namespace zoo::bit
