#include <libzoo/bit/class_map.h>
#include <libzoo/bit/evaluate.h>
#include <libzoo/bit/inputs.h>
#include <libzoo/bit/protocols.h>
#include <libzoo/bit/test_metrics.h>
#include <libzoo/core/error.h>
#include <libzoo/core/log.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

namespace zoo::bit {
namespace {

Json mapped_accuracy(nn::ResNetV2& model, data::Stream<data::ImageBatch> batches, const ClassMap& map, const at::Device& device) {
  at::NoGradGuard no_grad;
  ObjectNetScore sum{};
  int64_t left_out = 0;
  while (auto batch = batches.next()) {
    const auto labels = map.labels(batch->labels);
    const int64_t known = labels.ge(0).sum().item<int64_t>();
    left_out += labels.size(0) - known;
    if (known == 0) continue;
    const auto score = objectnet_score(model->forward(batch->images.to(device)).to(at::kCPU), map.class_of_output, labels);
    const auto add = [&](double ObjectNetScore::* member) { sum.*member += score.*member * double(score.count); };
    for (auto member :
         {&ObjectNetScore::top1_full, &ObjectNetScore::top5_full, &ObjectNetScore::top1_restricted, &ObjectNetScore::top5_restricted})
      add(member);
    sum.count += score.count;
  }
  if (sum.count == 0) throw UserError("no picture is of a class in the class map");
  const double n = double(sum.count);
  return {{"top1", sum.top1_full / n},
          {"top5", sum.top5_full / n},
          {"restricted top1", sum.top1_restricted / n},
          {"restricted top5", sum.top5_restricted / n},
          {"images", sum.count},
          {"left out", left_out}};
}

}  // namespace

void require_classes(const Predictor& predictor, const data::ImageDataset& test, const std::filesystem::path& checkpoint) {
  const int64_t outputs = predictor.checkpoint.architecture.num_classes;
  if (test.num_classes() == outputs) return;
  throw UserError(fmt::format("{}: the network has {} classes, the test set {}", checkpoint.string(), outputs, test.num_classes()),
                  "fine-tune the network on this set, give the set it was trained on, or say with class_map which outputs mean what");
}

Json evaluate(const EvaluateOptions& o, const at::Device& device) {
  auto p = open_predictor(o, device);
  const auto test = data::open_dataset(o.test);
  if (!o.class_map.empty()) {
    if (test->has_several_labels()) throw UserError("class_map is for pictures of one label each");
    const auto map = read_class_map(o.class_map, test->class_names(), p.checkpoint.info.classes, p.checkpoint.architecture.num_classes);
    return mapped_accuracy(p.checkpoint.model, evaluation_batches(test, p.preprocessing, o.batch_size, o.data), map, device);
  }
  require_classes(p, *test, o.checkpoint);
  if (test->has_several_labels() && !p.checkpoint.info.several_labels)
    log::warning("the network was not trained to say yes or no to each class: mAP can be compared, F1 takes logits above 0 for yes");
  return test_metrics(p.checkpoint.model, {test, p.preprocessing, o.batch_size, o.data}, device).result;
}

}  // namespace zoo::bit
