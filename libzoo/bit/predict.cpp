#include <libzoo/bit/inputs.h>
#include <libzoo/data/picture_files.h>
#include <libzoo/bit/predict.h>
#include <libzoo/core/error.h>
#include <libzoo/io/npy.h>
#include <libzoo/io/safetensors.h>
#include <libzoo/io/tensor.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

#include <algorithm>

namespace zoo::bit {
namespace {

// What is exported, batch after batch.
struct Export {
  std::vector<at::Tensor> features, logits;
  std::string files;

  void write(const std::filesystem::path& path) const {
    Arrays arrays{{"features", io::to_array(at::cat(features))}, {"files", Array::text(files)}};
    if (!logits.empty()) arrays.emplace("logits", io::to_array(at::cat(logits)));
    if (path.extension() == ".npz")
      io::write_npz(path, arrays);
    else
      io::write_safetensors(path, arrays);
  }
};

Prediction predicted(const Predictor& p, const std::filesystem::path& file, const at::Tensor& logits, int64_t top) {
  Prediction prediction{.file = file};
  const float* row = logits.const_data_ptr<float>();
  prediction.logits.assign(row, row + logits.size(0));
  const auto exact = logits.to(at::kDouble);
  const auto [probabilities, order] =
      (p.checkpoint.info.several_labels ? at::sigmoid(exact) : at::softmax(exact, 0)).topk(std::min(top, logits.size(0)));
  for (int64_t k = 0; k < order.size(0); ++k)
    prediction.top.push_back({p.class_name(order[k].item<int64_t>()), probabilities[k].item<double>()});
  return prediction;
}

}  // namespace

std::string Predictor::class_name(int64_t output) const {
  const auto& classes = checkpoint.info.classes;
  return classes.empty() ? std::to_string(output) : classes.at(size_t(output));
}

Predictor open_predictor(const NetworkOptions& o, const at::Device& device, bool needs_head) {
  const auto& path = o.checkpoint;
  Predictor p;
  p.checkpoint = load_checkpoint(path, {.head = Head::keep});
  if (needs_head && p.checkpoint.architecture.num_classes == 0)
    throw UserError(fmt::format("{}: the network has no head", path.string()), "fine-tune it first: zoo-bit finetune");
  if (p.checkpoint.architecture.in_channels != 3) {
    throw UserError(
        fmt::format("{}: the network takes {} channels, pictures have 3", path.string(), p.checkpoint.architecture.in_channels));
  }
  place(p.checkpoint.model, device, o.precision);
  p.checkpoint.model->eval();
  p.preprocessing = p.checkpoint.info.preprocessing;
  if (o.resolution) p.preprocessing.size = *o.resolution;
  return p;
}

void predict(const PredictOptions& o, const std::vector<std::filesystem::path>& pictures, const at::Device& device,
             const std::function<void(const Prediction&)>& receive) {
  at::NoGradGuard no_grad;
  auto p = open_predictor(o, device, /*needs_head=*/o.features.empty());
  auto& model = p.checkpoint.model;
  const bool has_head = p.checkpoint.architecture.num_classes > 0;
  const auto parameters = model->named_parameters();
  auto batches = evaluation_batches(data::picture_files(pictures), p.preprocessing, o.batch_size, o.data);
  Export exported;
  while (auto batch = batches.next()) {
    const auto features = model->features(batch->images.to(device));
    at::Tensor logits;
    if (has_head) {
      logits = at::linear(features, parameters["head.conv.weight"].flatten(1), parameters["head.conv.bias"]);
      logits = logits.to(at::kCPU, at::kFloat).contiguous();
    }
    if (!o.features.empty()) {
      exported.features.push_back(features.to(at::kCPU, at::kFloat));
      if (has_head) exported.logits.push_back(logits);
    }
    for (size_t i = 0; i < batch->indices.size(); ++i) {
      const auto& file = pictures[size_t(batch->indices[i])];
      exported.files += (exported.files.empty() ? "" : "\n") + file.string();
      receive(has_head ? predicted(p, file, logits[int64_t(i)], o.top) : Prediction{.file = file, .logits = {}, .top = {}});
    }
  }
  if (o.features.empty()) return;
  if (exported.features.empty()) throw UserError("no picture could be read: there are no features to write");
  exported.write(o.features);
}

}  // namespace zoo::bit
