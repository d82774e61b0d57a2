#include <libzoo/bit/class_map.h>
#include <libzoo/bit/evaluate.h>
#include <libzoo/bit/inputs.h>
#include <libzoo/bit/protocols.h>
#include <libzoo/bit/training.h>
#include <libzoo/core/error.h>

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
  auto p = open_predictor(o.checkpoint, o.resolution, device);
  const auto test = data::open_dataset(o.test);
  auto batches = [&] { return evaluation_batches(test, p.preprocessing, o.batch_size, o.data); };
  if (!o.class_map.empty()) {
    const auto map = read_class_map(o.class_map, test->class_names(), p.checkpoint.info.classes, p.checkpoint.architecture.num_classes);
    return mapped_accuracy(p.checkpoint.model, batches(), map, device);
  }
  require_classes(p, *test, o.checkpoint);
  return as_json(measure(p.checkpoint.model, batches(), device));
}

}  // namespace zoo::bit
