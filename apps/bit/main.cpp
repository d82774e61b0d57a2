// zoo-bit: Big Transfer. Pre-train, fine-tune by BiT-HyperRule, evaluate, predict, and a demo of all of it.
#include "apps/common/program.h"
#include <libzoo/bit/demo.h>
#include <libzoo/bit/detect.h>
#include <libzoo/bit/distill.h>
#include <libzoo/bit/evaluate.h>
#include <libzoo/bit/few_shot_sweep.h>
#include <libzoo/bit/find_objects.h>
#include <libzoo/bit/finetune.h>
#include <libzoo/data/picture_files.h>
#include <libzoo/bit/predict.h>
#include <libzoo/bit/pretrain.h>
#include <libzoo/bit/report.h>
#include <libzoo/bit/vtab.h>
#include <libzoo/train/device.h>

#include <cstdio>

#include <fmt/format.h>

namespace {

using namespace zoo;

std::vector<std::filesystem::path> pictures_of(const apps::Context& context) {
  if (context.arguments.empty())
    throw UserError("no pictures given", context.program + " --checkpoint model.safetensors photo.jpg folder/ list.txt");
  return data::list_pictures({context.arguments.begin(), context.arguments.end()});
}

Json predict_files(const bit::PredictOptions& options, const apps::Context& context) {
  const auto pictures = pictures_of(context);
  bit::predict(options, pictures, train::resolve_device(context.device), [&](const bit::Prediction& prediction) {
    if (context.json) {
      Json top = Json::array();
      for (const auto& c : prediction.top) top.push_back({{"class", c.name}, {"probability", c.probability}});
      std::puts(Json({{"file", prediction.file.string()}, {"logits", prediction.logits}, {"top", top}}).dump().c_str());
      return;
    }
    std::string line = prediction.file.string();
    for (const auto& c : prediction.top) line += fmt::format("  {} {:.1f} %", c.name, 100 * c.probability);
    std::puts(line.c_str());
  });
  return nullptr;
}

Json detect_in_files(const bit::DetectPredictOptions& options, const apps::Context& context) {
  const auto report = [&](const std::filesystem::path& file, const std::vector<bit::FoundObject>& found) {
    if (context.json) {
      Json objects = Json::array();
      for (const auto& [name, score, box] : found)
        objects.push_back({{"class", name}, {"score", score}, {"box", {box.left, box.top, box.width, box.height}}});
      std::puts(Json({{"file", file.string()}, {"objects", objects}}).dump().c_str());
      return;
    }
    std::string line = file.string();
    for (const auto& [name, score, box] : found)
      line += fmt::format("  {} {:.1f} % at {:.0f},{:.0f} {:.0f}x{:.0f}", name, 100 * score, box.left, box.top, box.width, box.height);
    std::puts(line.c_str());
  };
  bit::detect_predict(options, pictures_of(context), train::resolve_device(context.device), report);
  return nullptr;
}

Json measure_detections(const bit::DetectEvaluateOptions& options, const apps::Context& context) {
  return bit::detect_evaluate(options, train::resolve_device(context.device));
}

Json evaluate_set(const bit::EvaluateOptions& options, const apps::Context& context) {
  return bit::evaluate(options, train::resolve_device(context.device));
}

Json report_set(const bit::ReportOptions& options, const apps::Context& context) {
  return bit::report(options, train::resolve_device(context.device));
}

Json probe_set(const bit::ProbeOptions& options, const apps::Context& context) {
  return bit::probe(options, context.seed, train::resolve_device(context.device));
}

}  // namespace

int main(int argc, char** argv) {
  using namespace zoo::apps;
  // Of `data`, what changes nothing of what the network sees.
  const std::vector<std::string> may_change = {"data.workers",       "data.prefetch",    "data.rate_limit", "data.cache",
                                               "data.max_bad_items", "checkpoint_every", "evaluate_every"};
  auto checkpoints = [](const auto& options, train::RunOptions& run) { run.checkpoint_every = options.checkpoint_every; };
  // A step is a row of the table, minutes of work.
  auto after_each_step = [](const auto&, train::RunOptions& run) { run.checkpoint_every = run.log_every = 1; };
  return main_program(
      "zoo-bit", "Big Transfer: pre-training, and fine-tuning by BiT-HyperRule.",
      {run_verb<bit::PretrainOptions>("pretrain", "a network from scratch on labelled images", bit::pretrain,
                                      {.run_options = checkpoints, .may_change = may_change}),
       run_verb<bit::FinetuneOptions>("finetune", "a pretrained network on a new data set, by BiT-HyperRule", bit::finetune,
                                      {.run_options = checkpoints, .may_change = may_change, .flags = {{"--checkpoint", "checkpoint"}}}),
       run_verb<bit::FewShotOptions>("fewshot", "a pretrained network on 1, 5, 10, … examples per class: median, mean, interval",
                                     bit::few_shot, {.run_options = after_each_step, .flags = {{"--checkpoint", "checkpoint"}}}),
       plain_verb<bit::ProbeOptions>("probe", "the same of a linear probe on the network's features", probe_set,
                                     {.flags = {{"--checkpoint", "checkpoint"}}}),
       run_verb<bit::DistillOptions>("distill", "a network from scratch that learns another one's opinion", bit::distill,
                                     {.run_options = [](const bit::DistillOptions& o,
                                                        train::RunOptions& run) { run.checkpoint_every = o.student.checkpoint_every; }}),
       run_verb<bit::VtabOptions>("vtab", "VTAB-1k: 1000 examples of each of its tasks that are at hand", bit::vtab,
                                  {.run_options = after_each_step, .flags = {{"--checkpoint", "checkpoint"}}}),
       plain_verb<bit::EvaluateOptions>("evaluate", "accuracy of a checkpoint on labelled images", evaluate_set,
                                        {.flags = {{"--checkpoint", "checkpoint"}}}),
       plain_verb<bit::ReportOptions>("report", "accuracy of each class, confusion matrix, worst mistakes", report_set,
                                      {.flags = {{"--checkpoint", "checkpoint"}}}),
       plain_verb<bit::PredictOptions>("predict", "classes and probabilities of pictures", predict_files,
                                       {.arguments = "IMAGE…", .flags = {{"--checkpoint", "checkpoint"}}}),
       run_verb<bit::DetectOptions>("detect", "a pretrained network becomes a detector of objects (RetinaNet)", bit::detect,
                                    {.run_options = checkpoints, .may_change = may_change, .flags = {{"--checkpoint", "checkpoint"}}}),
       plain_verb<bit::DetectEvaluateOptions>("detect-evaluate", "COCO's average precision of a detector", measure_detections,
                                              {.flags = {{"--checkpoint", "checkpoint"}}}),
       plain_verb<bit::DetectPredictOptions>("detect-predict", "objects in pictures, and where they are", detect_in_files,
                                             {.arguments = "IMAGE…", .flags = {{"--checkpoint", "checkpoint"}}}),
       run_verb<bit::DemoOptions>(
           "demo", "pre-training on drawn glyphs, transfer to a few real digits, compared with scratch", bit::demo,
           {.recipe = "bit/demo",
            .run_options = [](const bit::DemoOptions& o, train::RunOptions& run) { run.checkpoint_every = o.pretrain.checkpoint_every; }})},
      argc, argv);
}
