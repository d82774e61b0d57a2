#include <libzoo/bit/evaluate.h>
#include <libzoo/bit/inputs.h>
#include <libzoo/bit/report.h>
#include <libzoo/bit/training.h>
#include <libzoo/core/error.h>
#include <libzoo/data/contact_sheet.h>
#include <libzoo/data/font.h>
#include <libzoo/io/atomic_file.h>
#include <libzoo/io/png.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zoo::bit {
namespace {

constexpr int64_t kMostClasses = 4096, kMostNamed = 48;
constexpr size_t kWorstShown = 10, kLongestName = 24;

struct Mistake {
  int64_t item, said, truth;
  double probability;  // of what was said
};

// Over a whole test set.
struct Findings {
  eval::ClassificationMetrics metrics;
  at::Tensor confusion;           // int64 [classes, classes]
  std::vector<Mistake> mistakes;  // the surest first, so many as asked for
};

void keep_surest(std::vector<Mistake>& mistakes, int64_t count) {
  std::stable_sort(mistakes.begin(), mistakes.end(), [](const Mistake& a, const Mistake& b) { return a.probability > b.probability; });
  if (int64_t(mistakes.size()) > count) mistakes.resize(size_t(count));
}

Findings find(nn::ResNetV2& model, data::Stream<data::ImageBatch> batches, int64_t mistakes, const at::Device& device) {
  at::NoGradGuard no_grad;
  const int64_t classes = model->options.num_classes;
  Findings findings{.metrics = {}, .confusion = at::zeros({classes * classes}, at::kLong), .mistakes = {}};
  eval::Classification meter({1, 5});
  while (auto batch = batches.next()) {
    const auto logits = model->forward(batch->images.to(device)).to(at::kCPU, at::kFloat);
    meter.add(logits, batch->labels);
    const auto [surest, said] = at::softmax(logits.to(at::kDouble), 1).max(1);
    findings.confusion += at::bincount(batch->labels * classes + said, {}, classes * classes);
    for (int64_t i = 0; i < said.size(0); ++i) {
      const Mistake one{batch->indices[size_t(i)], said[i].item<int64_t>(), batch->labels[i].item<int64_t>(), surest[i].item<double>()};
      if (one.said != one.truth) findings.mistakes.push_back(one);
    }
    keep_surest(findings.mistakes, mistakes);
  }
  findings.confusion = findings.confusion.view({classes, classes});
  findings.metrics = meter.result();
  return findings;
}

io::Image mistake_sheet(const std::vector<Mistake>& mistakes, const data::ImageDataset& test) {
  std::vector<data::SheetCell> cells;
  for (const auto& m : mistakes) {
    cells.push_back({.image = test.image(m.item),
                     .caption = fmt::format("{} {:.0f} %\n({})", test.class_name(m.said), 100 * m.probability, test.class_name(m.truth)),
                     .color = data::kWrong});
  }
  return data::contact_sheet(cells, {.columns = 8, .cell_pixels = 128, .title = "said, how surely (truth)"});
}

void fill(io::Image& image, const io::PixelBox& box, const data::Color& color) {
  for (int64_t y = box.top; y < box.top + box.height; ++y) {
    uint8_t* pixel = image.row(y) + box.left * 3;
    for (int64_t x = 0; x < box.width; ++x, pixel += 3) pixel[0] = color.red, pixel[1] = color.green, pixel[2] = color.blue;
  }
}

void write(io::Image& image, const std::string& text, int64_t top, int64_t left) {
  for (char character : text) {
    const auto& columns = data::glyph_columns(character);
    for (int64_t x = 0; x < data::kFontWidth; ++x)
      for (int64_t y = 0; y < data::kFontHeight; ++y)
        if (columns[size_t(x)] >> y & 1) fill(image, {top + y, left + x, 1, 1}, data::kInk);
    left += data::kFontWidth + 1;
  }
}

// From white to the colour.
data::Color tint(const data::Color& color, double share) {
  const auto part = [&](uint8_t full) { return uint8_t(std::lround(255 - share * (255 - full))); };
  return {part(color.red), part(color.green), part(color.blue)};
}

}  // namespace

Json class_table(const at::Tensor& confusion, const std::vector<std::string>& names) {
  Json rows = Json::array();
  for (int64_t c = 0; c < confusion.size(0); ++c) {
    const auto row = confusion[c];
    const int64_t images = row.sum().item<int64_t>(), right = row[c].item<int64_t>();
    Json entry = {{"class", names.at(size_t(c))}, {"images", images}};
    if (images > 0) entry["top1"] = double(right) / double(images);
    if (right < images) {
      auto wrong = row.clone();
      wrong[c] = 0;
      entry["taken for"] = names.at(size_t(wrong.argmax().item<int64_t>()));
    }
    rows.push_back(entry);
  }
  std::stable_sort(rows.begin(), rows.end(), [](const Json& a, const Json& b) { return a.value("top1", 2.0) < b.value("top1", 2.0); });
  return rows;
}

io::Image confusion_picture(const at::Tensor& confusion, const std::vector<std::string>& names) {
  const int64_t classes = confusion.size(0);
  if (classes > kMostClasses) throw UserError(fmt::format("a confusion matrix of {} classes can't be drawn", classes), "4096 are the most");
  const bool named = classes <= kMostNamed;
  const int64_t cell = named ? 16 : std::max<int64_t>(1, 1024 / classes);
  size_t longest = 0;
  for (const auto& name : names) longest = std::max(longest, std::min(name.size(), kLongestName));
  const int64_t left = named ? int64_t(longest) * (data::kFontWidth + 1) + 8 : 0;
  const int64_t width = left + classes * cell, height = classes * cell;
  io::Image image{height, width, 3, std::vector<uint8_t>(size_t(height * width * 3), 255)};
  const auto shares = confusion.to(at::kDouble) / confusion.sum(1, /*keepdim=*/true).clamp_min(1);
  for (int64_t c = 0; c < classes; ++c) {
    const auto row = shares[c].contiguous();
    const double* share = row.const_data_ptr<double>();
    for (int64_t said = 0; said < classes; ++said)
      fill(image, {c * cell, left + said * cell, cell, cell}, tint(said == c ? data::kRight : data::kWrong, share[said]));
    if (named) write(image, names.at(size_t(c)).substr(0, kLongestName), c * cell + (cell - data::kFontHeight) / 2, 4);
  }
  return image;
}

Json report(const ReportOptions& o, const at::Device& device) {
  auto p = open_predictor(o, device);
  const auto test = data::open_dataset(o.test);
  require_classes(p, *test, o.checkpoint);
  if (test->has_several_labels())
    throw UserError("a report is about pictures of one label each", "zoo-bit evaluate measures each class of several labels");
  if (test->num_classes() > kMostClasses)
    throw UserError(fmt::format("a report has 4096 classes at most, the set {}", test->num_classes()));
  const Findings found = find(p.checkpoint.model, evaluation_batches(test, p.preprocessing, o.batch_size, o.data), o.mistakes, device);

  std::error_code error;
  std::filesystem::create_directories(o.folder, error);
  if (error) throw UserError(fmt::format("{}: {}", o.folder.string(), error.message()));
  const auto names = test->class_names();
  const Json table = class_table(found.confusion, names);
  io::write_file(o.folder / "classes.json", table.dump(1) + "\n");
  io::write_file(o.folder / "confusion.png", io::encode_png(confusion_picture(found.confusion, names)));
  if (!found.mistakes.empty()) io::write_file(o.folder / "mistakes.png", io::encode_png(mistake_sheet(found.mistakes, *test)));

  Json result = as_json(found.metrics);
  result["folder"] = o.folder.string();
  Json worst = Json::array();
  for (size_t i = 0; i < std::min(kWorstShown, table.size()); ++i) worst.push_back(table[i]);
  result["worst classes"] = worst;
  return result;
}

}  // namespace zoo::bit
