// From data sets to what the network sees: the streams of training and of evaluation.
#pragma once

#include <libzoo/data/loader.h>
#include <libzoo/dist/group.h>
#include <libzoo/simclr/checkpoint.h>
#include <libzoo/simclr/views.h>
#include <libzoo/train/evaluation.h>
#include <libzoo/train/run.h>

#include <cstdint>

namespace zoo::simclr {

// Endless, shuffled anew in each epoch, an epoch's short last batch left out; of each batch this rank's share. Throws UserError if the
// set is smaller than a batch.
data::Loader training_data(const data::DatasetPointer& dataset, data::ImageTransform transform, int64_t batch_size,
                           const data::LoaderOptions& options, uint64_t seed, const dist::Group* group = nullptr);

// The next batch, on the device; the run is told of the wait.
data::ImageBatch next_batch(data::Loader& batches, train::Run& run);

// Every picture once, in order.
data::Stream<data::ImageBatch> evaluation_batches(const data::DatasetPointer& dataset, const ModelInfo& info, int64_t batch_size,
                                                  const data::ReadOptions& options);

// The features that probes see: what the encoder makes of every picture, in evaluation mode.
train::Features features_of(Network network, const data::DatasetPointer& dataset, const ModelInfo& info, const data::ReadOptions& options,
                            const at::Device& device);

// Pictures of this size need the small stem.
constexpr int64_t kSmallPicture = 32;

}  // namespace zoo::simclr
