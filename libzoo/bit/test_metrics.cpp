#include <libzoo/bit/inputs.h>
#include <libzoo/bit/test_metrics.h>
#include <libzoo/bit/training.h>
#include <libzoo/eval/multi_label.h>

#include <ATen/ATen.h>

#include <cmath>

namespace zoo::bit {
namespace {

Json number_or_null(double value) { return std::isnan(value) ? Json() : Json(value); }

eval::MultiLabelMetrics measure_labels(nn::ResNetV2& model, data::Stream<data::ImageBatch> batches, const at::Device& device) {
  at::NoGradGuard no_grad;
  model->eval();
  eval::MultiLabel meter;
  while (auto batch = batches.next()) meter.add(model->forward(batch->images.to(device)), batch->labels);
  model->train();
  return meter.result();
}

Json as_json(const eval::MultiLabelMetrics& metrics, const data::ImageDataset& dataset) {
  Json classes = Json::array();
  for (size_t c = 0; c < metrics.classes.size(); ++c) {
    const auto& scores = metrics.classes[c];
    classes.push_back({{"class", dataset.class_name(int64_t(c))},
                       {"images", scores.positives},
                       {"AP", number_or_null(scores.average_precision)},
                       {"F1", number_or_null(scores.f1)}});
  }
  return {{"loss", metrics.loss},
          {"mAP", number_or_null(metrics.mean_average_precision)},
          {"micro F1", number_or_null(metrics.micro_f1)},
          {"macro F1", number_or_null(metrics.macro_f1)},
          {"images", metrics.count},
          {"each class", classes}};
}

}  // namespace

TestMetrics test_metrics(nn::ResNetV2& model, const TestSet& test, const at::Device& device) {
  auto batches = evaluation_batches(test.dataset, test.preprocessing, test.batch_size, test.data);
  if (test.dataset->has_several_labels()) {
    const auto metrics = measure_labels(model, std::move(batches), device);
    return {as_json(metrics, *test.dataset), {{"test_loss", metrics.loss}, {"mAP", metrics.mean_average_precision}}, "mAP"};
  }
  const auto metrics = measure(model, std::move(batches), device);
  return {as_json(metrics), {{"test_loss", metrics.loss}, {"top1", metrics.top(1)}}, "top1"};
}

}  // namespace zoo::bit
