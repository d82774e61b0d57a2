// From data sets to what the network sees: the streams of training and of evaluation.
#pragma once

#include <libzoo/bit/checkpoint.h>
#include <libzoo/bit/hyper_rule.h>
#include <libzoo/bit/pretrain_options.h>
#include <libzoo/data/loader.h>
#include <libzoo/data/train_transform.h>

#include <cstdint>

namespace zoo::bit {

// Squash to rule.resize, random crop to rule.crop, mirror if asked.
data::TrainTransform finetune_transform(const HyperRule& rule, bool flip);
// Inception crops, or just the resize; mirror if asked.
data::TrainTransform pretrain_transform(const PretrainOptions& options);

// Endless, shuffled anew in each epoch, the short last batch kept; a set smaller than a batch is drawn from with
// replacement (big_transfer bit_pytorch/train.py).
data::Loader training_data(const data::DatasetPointer& dataset, data::TrainTransform transform, int64_t batch_size,
                           const data::LoaderOptions& options, uint64_t seed);

// Every picture once, in order, as `preprocessing` says.
data::Stream<data::ImageBatch> evaluation_batches(const data::DatasetPointer& dataset, const Preprocessing& preprocessing,
                                                  int64_t batch_size, const data::ReadOptions& options);

DatasetSize size_of(const data::ImageDataset& dataset);

// `wanted`, or sigmoid where pictures have several labels and softmax where they have one. Throws UserError for softmax over several.
LabelLoss loss_for(const data::ImageDataset& dataset, const std::optional<LabelLoss>& wanted);

}  // namespace zoo::bit
