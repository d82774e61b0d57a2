#include <libzoo/bit/checkpoint.h>
#include <libzoo/bit/detect.h>
#include <libzoo/bit/detector_file.h>
#include <libzoo/bit/find_objects.h>
#include <libzoo/bit/inputs.h>
#include <libzoo/core/error.h>
#include <libzoo/core/log.h>
#include <libzoo/optim/schedules.h>
#include <libzoo/optim/sgd.h>

#include <ATen/ATen.h>

#include <optional>

namespace zoo::bit {
namespace {

struct DetectorLoss {
  at::Tensor total, classes, boxes;
};

// Sums over anchors, divided by how many of them stand for an object, as in tensorflow/tpu RetinaNet.
DetectorLoss detector_loss(Detector& model, const at::Tensor& anchors, const data::DetectionBatch& batch, const DetectOptions& o,
                           const at::Device& device) {
  const Targets targets = match_anchors(anchors, batch.boxes);
  const auto [logits, codes] = model->forward(batch.images.to(device));
  const auto labels = targets.labels.flatten().to(device);
  const double normaliser = double(targets.positives) + 1;
  DetectorLoss loss;
  loss.classes = focal_loss(logits.flatten(0, 1), labels, o.focal) / normaliser;
  const auto positive = labels.ge(0).nonzero().squeeze(1);
  const auto wanted = targets.codes.flatten(0, 1).to(device).index_select(0, positive);
  loss.boxes = at::huber_loss(codes.flatten(0, 1).index_select(0, positive), wanted, at::Reduction::Sum, o.huber_delta) / (4 * normaliser);
  loss.total = loss.classes + o.box_weight * loss.boxes;
  return loss;
}

// The gradients of one optimiser step; returns the mean of the losses, detached.
DetectorLoss accumulate(Detector& model, const at::Tensor& anchors, data::Stream<data::DetectionBatch>& batches, const DetectOptions& o,
                        train::Run& run) {
  DetectorLoss sum;
  for (int64_t micro = 0; micro < o.accumulation_steps; ++micro) {
    std::optional<data::DetectionBatch> batch;
    {
      const auto waiting = run.waiting_for_data();
      batch = batches.next();
    }
    if (!batch) throw Error("the training data ended before the last step");
    const DetectorLoss loss = detector_loss(model, anchors, *batch, o, run.device());
    (loss.total / double(o.accumulation_steps)).backward();
    for (auto part : {&DetectorLoss::total, &DetectorLoss::classes, &DetectorLoss::boxes}) {
      const auto share = (loss.*part).detach() / double(o.accumulation_steps);
      sum.*part = micro == 0 ? share : sum.*part + share;
    }
  }
  return sum;
}

double learning_rate(const DetectOptions& o, int64_t step) {
  std::vector<double> drops;
  for (double fraction : o.stairs) drops.push_back(fraction * double(o.steps));
  return optim::stairs_rate(o.rate, step, {.warmup_steps = o.warmup_steps, .total_steps = o.steps}, drops);
}

}  // namespace

Json detect(const DetectOptions& o, train::Run& run) {
  const auto train_set = data::open_detection(o.train);
  const auto test_set = o.test ? data::open_detection(*o.test) : nullptr;
  if (test_set) require_same_classes(*train_set, *test_set);
  log::info(train_set->describe());

  Checkpoint start = load_or_build(o.checkpoint, o.model, /*num_classes=*/0, run.seed("initialisation"));
  DetectorOptions shape = o.detector;
  shape.num_classes = train_set->num_classes();
  shape.seed = run.seed("detector");
  Detector model(start.model, shape);
  model->to(run.device());
  const at::Tensor all_anchors = anchors(shape.anchors, o.resolution);
  const data::DetectionTransform augment{.size = o.resolution, .flip = o.flip, .least_scale = o.least_scale, .most_scale = o.most_scale};
  auto batches = data::detection_batches(train_set, augment,
                                         {.batch_size = o.batch_size / o.accumulation_steps, .seed = run.seed("data"), .read = o.data});
  optim::Sgd sgd(model->named_parameters(), {.momentum = o.momentum, .weight_decay = o.weight_decay});

  run.track("model", *model);
  run.track("optimizer", sgd);
  run.track("data", batches);
  const FindOptions find{.resolution = o.resolution, .batch_size = o.batch_size / o.accumulation_steps, .read = o.data, .select = o.select};
  auto measure_test = [&] { return measure_detector(model, test_set, find, run.device()); };

  for (int64_t step : run.steps(o.steps)) {
    sgd.zero_grad();
    const DetectorLoss loss = accumulate(model, all_anchors, batches, o, run);
    if (o.clip_norm > 0) optim::clip_grad_norm(sgd.parameters(), o.clip_norm);
    const double rate = learning_rate(o, step);
    sgd.step(rate);
    run.log(step, {{"loss", loss.total}, {"class_loss", loss.classes}, {"box_loss", loss.boxes}, {"learning_rate", rate}});
    if (test_set && o.evaluate_every > 0 && (step + 1) % o.evaluate_every == 0) {
      const auto found = measure_test();
      run.evaluation(step, {{"ap", found.ap}, {"ap50", found.ap50}}, "ap");
    }
  }
  if (run.interrupted()) return nullptr;
  const ModelInfo info{
      .name = start.info.name, .classes = train_set->class_names(), .preprocessing = {.size = o.resolution}, .license = start.info.license};
  run.save_model([&](const std::filesystem::path& path) { save_detector(path, model, info); });
  Json result = {{"pictures", train_set->size()}, {"steps", o.steps}};
  if (test_set) {
    result.update(as_json(measure_test()));
    run.save_image("detections", detection_sheet(model, test_set, find, info.classes, run.device()));
  }
  return result;
}

}  // namespace zoo::bit
