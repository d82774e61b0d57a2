#include <libzoo/bit/detector_file.h>
#include <libzoo/bit/find_objects.h>
#include <libzoo/data/picture_files.h>
#include <libzoo/core/error.h>
#include <libzoo/data/contact_sheet.h>
#include <libzoo/data/draw_boxes.h>
#include <libzoo/io/atomic_file.h>
#include <libzoo/io/png.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

#include <algorithm>

namespace zoo::bit {
namespace {

// Cut at the picture's borders; what lies outside of it goes.
std::vector<Detection> in_picture(std::vector<Detection> found, const data::Placement& placement) {
  std::vector<Detection> kept;
  for (Detection& one : found) {
    one.box = io::common_box(placement.to_picture(one.box), {0, 0, double(placement.picture.width), double(placement.picture.height)});
    if (one.box.width > 0 && one.box.height > 0) kept.push_back(one);
  }
  return kept;
}

io::Image drawn(io::Image picture, const std::vector<Detection>& found, const std::vector<std::string>& classes) {
  std::vector<data::DrawnBox> boxes;
  for (const Detection& one : found)
    boxes.push_back({one.box, fmt::format("{} {:.0f}", classes[size_t(one.label)], 100 * one.score), one.label});
  return data::draw_boxes(std::move(picture), boxes);
}

LoadedDetector open_detector(const NetworkOptions& o, const at::Device& device) {
  LoadedDetector detector = load_detector(o.checkpoint);
  detector.model->to(device);
  return detector;
}

FindOptions find_options(const NetworkOptions& o, const SelectOptions& select, const LoadedDetector& detector) {
  return {
      .resolution = o.resolution.value_or(detector.info.preprocessing.size), .batch_size = o.batch_size, .read = o.data, .select = select};
}

}  // namespace

void find_objects(Detector& model, const data::DetectionPointer& pictures, const FindOptions& o, const at::Device& device,
                  const std::function<void(int64_t, const std::vector<Detection>&)>& receive) {
  at::NoGradGuard no_grad;
  model->eval();
  const at::Tensor all_anchors = anchors(model->options.anchors, o.resolution);
  auto batches = data::detection_batches(pictures, {.size = o.resolution}, {.batch_size = o.batch_size, .training = false, .read = o.read});
  for (int64_t seen = 0; seen < o.most_pictures;) {
    const auto batch = batches.next();
    if (!batch) break;
    const auto [logits, codes] = model->forward(batch->images.to(device));
    const auto all_logits = logits.to(at::kCPU), all_codes = codes.to(at::kCPU);
    for (size_t i = 0; i < batch->indices.size() && seen < o.most_pictures; ++i, ++seen) {
      auto found = select_detections(all_logits[int64_t(i)], all_codes[int64_t(i)], all_anchors, o.select);
      receive(batch->indices[i], in_picture(std::move(found), batch->placements[i]));
    }
  }
  model->train();
}

eval::AveragePrecision measure_detector(Detector& model, const data::DetectionPointer& test, const FindOptions& options,
                                        const at::Device& device) {
  std::vector<eval::TrueBox> truth;
  std::vector<eval::FoundBox> found;
  find_objects(model, test, options, device, [&](int64_t index, const std::vector<Detection>& objects) {
    for (const auto& [box, label, area, crowd] : test->boxes(index)) truth.push_back({index, label, box, area, crowd});
    for (const auto& [box, label, score] : objects) found.push_back({index, label, box, score});
  });
  return eval::average_precision(truth, found, model->options.num_classes);
}

Json as_json(const eval::AveragePrecision& r) {
  const auto value = [](double fraction) { return fraction < 0 ? Json() : Json(fraction); };
  return {{"ap", value(r.ap)},
          {"ap50", value(r.ap50)},
          {"ap75", value(r.ap75)},
          {"ap_small", value(r.ap_small)},
          {"ap_medium", value(r.ap_medium)},
          {"ap_large", value(r.ap_large)},
          {"recall_1", value(r.recall_1)},
          {"recall_10", value(r.recall_10)},
          {"recall_100", value(r.recall_100)},
          {"recall_small", value(r.recall_small)},
          {"recall_medium", value(r.recall_medium)},
          {"recall_large", value(r.recall_large)}};
}

io::Image detection_sheet(Detector& model, const data::DetectionPointer& pictures, const FindOptions& options,
                          const std::vector<std::string>& classes, const at::Device& device) {
  constexpr int64_t kPictures = 24, kColumns = 6, kCell = 192;
  constexpr double kShown = 0.3;  // least score
  FindOptions find = options;
  find.select.least_score = std::max(kShown, options.select.least_score);
  find.most_pictures = kPictures;
  std::vector<data::SheetCell> cells;
  find_objects(model, pictures, find, device, [&](int64_t index, const std::vector<Detection>& found) {
    cells.push_back({.image = drawn(pictures->image(index), found, classes), .caption = {}});
  });
  return data::contact_sheet(cells, {.columns = kColumns, .cell_pixels = kCell});
}

Json detect_evaluate(const DetectEvaluateOptions& o, const at::Device& device) {
  auto detector = open_detector(o, device);
  const auto test = data::open_detection(o.test);
  if (test->class_names() != detector.info.classes)
    throw UserError(fmt::format("{}: the detector's classes are {} ('{}' …), those of the test set {} ('{}' …)", o.checkpoint.string(),
                                detector.info.classes.size(), detector.info.classes.front(), test->num_classes(), test->class_name(0)),
                    "give a set with the classes that it was trained on, in their order");
  const auto result = measure_detector(detector.model, test, find_options(o, o.select, detector), device);
  Json json = as_json(result);
  json["pictures"] = test->size();
  for (size_t c = 0; c < result.of_category.size(); ++c)
    json["of_class"][detector.info.classes[c]] = result.of_category[c] < 0 ? Json() : Json(result.of_category[c]);
  return json;
}

void detect_predict(const DetectPredictOptions& o, const std::vector<std::filesystem::path>& files, const at::Device& device,
                    const std::function<void(const std::filesystem::path&, const std::vector<FoundObject>&)>& receive) {
  auto detector = open_detector(o, device);
  const auto& classes = detector.info.classes;
  const auto pictures = data::without_boxes(data::picture_files(files));
  if (!o.pictures.empty()) std::filesystem::create_directories(o.pictures);
  find_objects(detector.model, pictures, find_options(o, o.select, detector), device,
               [&](int64_t index, const std::vector<Detection>& found) {
                 const auto& file = files[size_t(index)];
                 std::vector<FoundObject> objects;
                 for (const auto& [box, label, score] : found) objects.push_back({classes[size_t(label)], score, box});
                 receive(file, objects);
                 if (o.pictures.empty()) return;
                 // Numbered, as files of several folders may share a name.
                 const auto name = fmt::format("{:04}-{}.png", index, file.stem().string());
                 io::write_file(o.pictures / name, io::encode_png(drawn(pictures->image(index), found, classes)));
               });
}

}  // namespace zoo::bit
