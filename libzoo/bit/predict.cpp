#include <libzoo/bit/checkpoint.h>
#include <libzoo/bit/inputs.h>
#include <libzoo/bit/predict.h>
#include <libzoo/bit/training.h>
#include <libzoo/core/error.h>
#include <libzoo/data/image_batches.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

namespace zoo::bit {
namespace {

namespace fs = std::filesystem;

// Pictures without labels, as a data set, so that they are decoded ahead like any other.
class PictureFiles : public data::ImageDataset {
 public:
  explicit PictureFiles(std::vector<fs::path> files) : files_(std::move(files)) {}
  int64_t size() const override { return int64_t(files_.size()); }
  int64_t num_classes() const override { return 1; }
  std::string class_name(int64_t) const override { return "unknown"; }
  data::ImageSize typical_size() const override { return {}; }
  std::string describe() const override { return fmt::format("{} pictures", files_.size()); }

 private:
  int64_t get_label(int64_t) const override { return 0; }
  void get_picture(int64_t index, data::Picture& picture) const override { picture.read(files_[size_t(index)]); }
  std::string get_item_name(int64_t index) const override { return files_[size_t(index)].string(); }

  std::vector<fs::path> files_;
};

bool looks_like_a_picture(const fs::path& path) {
  unsigned char head[8] = {};
  std::ifstream(path, std::ios::binary).read(reinterpret_cast<char*>(head), sizeof head);
  const bool jpeg = head[0] == 0xff && head[1] == 0xd8 && head[2] == 0xff;
  const bool png = head[0] == 0x89 && head[1] == 'P' && head[2] == 'N' && head[3] == 'G';
  return jpeg || png;
}

void add_folder(const fs::path& folder, std::vector<fs::path>& pictures) {
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder)) entries.push_back(entry.path());
  std::sort(entries.begin(), entries.end());
  for (const auto& path : entries) {
    // Links to folders are not followed: they can lead in circles.
    if (fs::is_directory(path) && !fs::is_symlink(path))
      add_folder(path, pictures);
    else if (fs::is_regular_file(path) && looks_like_a_picture(path))
      pictures.push_back(path);
  }
}

struct Predictor {
  Checkpoint checkpoint;
  Preprocessing preprocessing;
};

Predictor open_predictor(const fs::path& path, const std::optional<int64_t>& resolution, const at::Device& device) {
  Predictor p;
  p.checkpoint = load_checkpoint(path, {.head = Head::keep});
  if (p.checkpoint.architecture.num_classes == 0)
    throw UserError(fmt::format("{}: the network has no head", path.string()), "fine-tune it first: zoo-bit finetune");
  if (p.checkpoint.architecture.in_channels != 3) {
    throw UserError(
        fmt::format("{}: the network takes {} channels, pictures have 3", path.string(), p.checkpoint.architecture.in_channels));
  }
  p.checkpoint.model->to(device);
  p.checkpoint.model->eval();
  p.preprocessing = p.checkpoint.info.preprocessing;
  if (resolution) p.preprocessing.size = *resolution;
  return p;
}

}  // namespace

Json evaluate(const EvaluateOptions& o, const at::Device& device) {
  auto [checkpoint, preprocessing] = open_predictor(o.checkpoint, o.resolution, device);
  const auto test = data::open_dataset(o.test);
  if (test->num_classes() != checkpoint.architecture.num_classes) {
    throw UserError(fmt::format("{}: the network has {} classes, the test set {}", o.checkpoint.string(),
                                checkpoint.architecture.num_classes, test->num_classes()),
                    "fine-tune the network on this set first, or give the set it was trained on");
  }
  return as_json(measure(checkpoint.model, evaluation_batches(test, preprocessing, o.batch_size, o.data), device));
}

std::vector<fs::path> list_pictures(const std::vector<fs::path>& paths) {
  std::vector<fs::path> pictures;
  for (const auto& path : paths) {
    std::error_code error;
    if (!fs::exists(path, error)) throw UserError(fmt::format("{}: no such file or folder", path.string()));
    const size_t before = pictures.size();
    if (fs::is_directory(path))
      add_folder(path, pictures);
    else
      pictures.push_back(path);
    if (pictures.size() == before) throw UserError(fmt::format("{}: no JPEG or PNG picture in this folder", path.string()));
  }
  return pictures;
}

void predict(const PredictOptions& o, const std::vector<fs::path>& pictures, const at::Device& device,
             const std::function<void(const Prediction&)>& receive) {
  at::NoGradGuard no_grad;
  auto [checkpoint, preprocessing] = open_predictor(o.checkpoint, o.resolution, device);
  const auto& classes = checkpoint.info.classes;
  auto files = std::make_shared<PictureFiles>(pictures);
  auto batches = evaluation_batches(files, preprocessing, o.batch_size, o.data);
  while (auto batch = batches.next()) {
    const auto logits = checkpoint.model->forward(batch->images.to(device)).to(at::kCPU, at::kFloat).contiguous();
    const auto [probabilities, order] = at::softmax(logits.to(at::kDouble), 1).topk(std::min<int64_t>(o.top, logits.size(1)), 1);
    for (int64_t i = 0; i < logits.size(0); ++i) {
      Prediction prediction{.file = pictures[size_t(batch->indices[size_t(i)])]};
      const float* row = logits[i].data_ptr<float>();
      prediction.logits.assign(row, row + logits.size(1));
      for (int64_t k = 0; k < order.size(1); ++k) {
        const int64_t c = order[i][k].item<int64_t>();
        prediction.top.push_back({classes.empty() ? std::to_string(c) : classes[size_t(c)], probabilities[i][k].item<double>()});
      }
      receive(prediction);
    }
  }
}

}  // namespace zoo::bit
