// What is measured over a labelled set: accuracy where a picture has one label, average precision and F1 where it has several.
#pragma once

#include <libzoo/bit/checkpoint.h>
#include <libzoo/core/json.h>
#include <libzoo/data/image_dataset.h>
#include <libzoo/data/loader_options.h>
#include <libzoo/nn/res_net_v2.h>
#include <libzoo/train/value.h>

#include <c10/core/Device.h>

#include <string>

namespace zoo::bit {

struct TestMetrics {
  // {loss, top1, top5, images}, or {loss, mAP, micro F1, macro F1, images, each class: [{class, images, AP, F1}]}; fractions, null
  // where a class has no picture.
  Json result;
  train::NamedValues curve;  // for metrics.jsonl: test_loss and the one by which the best checkpoint is chosen
  std::string best;          // its name: top1 or mAP
};

struct TestSet {
  data::DatasetPointer dataset;
  Preprocessing preprocessing;
  int64_t batch_size = 64;
  data::ReadOptions data;
};

// Without gradients, in evaluation mode.
TestMetrics test_metrics(nn::ResNetV2& model, const TestSet& test, const at::Device& device);

}  // namespace zoo::bit
