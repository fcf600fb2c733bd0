using System.Text.RegularExpressions;
using Llava.ModelCore.Prompts;
using Llava.ModelCore.Training.Optimizers;

namespace Llava.ModelCore.Training;

/// <summary>What a recipe must satisfy before anything is loaded.</summary>
internal static partial class RecipeRules
{
    /// <summary>As many as the optimizers' blocks can be dealt to, and more than a machine has cards.</summary>
    private const int MostProcesses = 16;

    public static IEnumerable<string> Findings(TrainingRecipe recipe) => Numbers(recipe).Concat(Files(recipe)).Concat(Combinations(recipe)).Concat(Sharing(recipe)).Concat(Placement(recipe)).Concat(Halves(recipe))
        .Where(rule => rule.IsBroken).Select(rule => rule.Finding);

    private static IEnumerable<(bool IsBroken, string Finding)> Numbers(TrainingRecipe r) =>
    [
        (r.MicroBatch < 1, $"micro_batch is {r.MicroBatch}; it must be at least 1."),
        (r.GradientAccumulation < 1, $"gradient_accumulation is {r.GradientAccumulation}; it must be at least 1."),
        (r.MaxSteps is < 1, $"max_steps is {r.MaxSteps}; it must be at least 1, or left out to count from epochs."),
        (r.MaxSteps is null && !(r.Epochs > 0), $"epochs is {r.Epochs}; it must be greater than 0."),
        (!(r.LearningRate > 0), $"learning_rate is {r.LearningRate}; it must be greater than 0 (published: 1e-3 or 2e-3 for alignment, 2e-5 for instruction tuning)."),
        (r.ProjectorLearningRate is { } rate && !(rate > 0), $"projector_learning_rate is {r.ProjectorLearningRate}; it must be greater than 0, or left out."),
        (!(r.WarmupRatio is >= 0 and <= 1), $"warmup_ratio is {r.WarmupRatio}; it must be from 0 to 1."),
        (!(r.WeightDecay >= 0), $"weight_decay is {r.WeightDecay}; it must not be negative."),
        (r.Clip is { } clip && !(clip > 0), $"clip is {r.Clip}; it must be greater than 0, or null to never clip."),
        (r.ModelMaxLength < 2, $"model_max_length is {r.ModelMaxLength}; it must be at least 2."),
        (r.MaxPositions is < 2, $"max_positions is {r.MaxPositions}; it must be at least 2, or null to keep all."),
        (r.Lora is { Rank: < 1 }, $"lora.rank is {r.Lora?.Rank}; it must be at least 1 (published: 128 for LLaVA-1.5, 64 before)."),
        (r.Lora is { } weak && !(weak.Alpha > 0), $"lora.alpha is {r.Lora?.Alpha}; it must be greater than 0 (published: 256 for LLaVA-1.5, 16 before)."),
        (r.Lora is { } dropping && !(dropping.Dropout is >= 0 and < 1), $"lora.dropout is {r.Lora?.Dropout}; it must be from 0 to below 1."),
        (r.RecomputeLayers is < 0, $"recompute_layers is {r.RecomputeLayers}; it must not be negative, or be left out to take as few as fit into memory."),
        (r.MemoryGb is { } memory && !(memory > 0), $"memory_gb is {r.MemoryGb}; it must be greater than 0, or left out to take what is free."),
        (r.EarlyStop is < 1, $"early_stop is {r.EarlyStop}; it must be at least 1, or null to never end early."),
        (r.EvalSteps is < 1, $"eval_steps is {r.EvalSteps}; it must be at least 1, or null to measure only at the end."),
        (r.SaveSteps is < 1, $"save_steps is {r.SaveSteps}; it must be at least 1, or null to save only at the end."),
        (r.SaveTotalLimit is < 1, $"save_total_limit is {r.SaveTotalLimit}; it must be at least 1, or null to keep every training checkpoint."),
    ];

    private static IEnumerable<(bool IsBroken, string Finding)> Files(TrainingRecipe r) =>
    [
        (!Directory.Exists(r.Base), $"base is '{r.Base}'; it must be the folder of a checkpoint."),
        (r.VisionTower is not null && !Directory.Exists(r.VisionTower), $"vision_tower is '{r.VisionTower}'; it must be a folder, or left out to use the base's."),
        (r.Projector is not null && !File.Exists(r.Projector), $"projector is '{r.Projector}'; there is no such file."),
        (!File.Exists(r.Data), $"data is '{r.Data}'; there is no such file."),
        (r.ValidationData is not null && !File.Exists(r.ValidationData), $"validation_data is '{r.ValidationData}'; there is no such file."),
        (r.ImageFolder is not null && !Directory.Exists(r.ImageFolder), $"image_folder is '{r.ImageFolder}'; there is no such folder."),
        (r.DataOrder is not null && !File.Exists(r.DataOrder), $"data_order is '{r.DataOrder}'; there is no such file."),
    ];

    private static IEnumerable<string> Templates => ConversationTemplates.All().Select(template => template.Name);

    private static IEnumerable<(bool IsBroken, string Finding)> Combinations(TrainingRecipe r) =>
    [
        (Templates.All(name => name != r.Template), $"template is '{r.Template}'; it must be one of {string.Join(", ", Templates)} (alignment: plain, instruction tuning: mostly v1)."),
        (r.InstructionTemplate is { } next && Templates.All(name => name != next), $"instruction_template is '{r.InstructionTemplate}'; it must be one of {string.Join(", ", Templates)}, or be left out."),
        (r.InstructionTemplate is not null && r.Stage != TrainingStage.Alignment, "instruction_template is given, but only a model that was aligned is still to be tuned with it; leave it out."),
        (!ProjectorTypes().IsMatch(r.ProjectorType), $"projector_type is '{r.ProjectorType}'; it must be 'linear' or 'mlpNx_gelu', for example 'mlp2x_gelu'."),
        (r.Stage == TrainingStage.Alignment && r.FreezeProjector, "freeze_projector is true, but alignment trains nothing else than the projector."),
        (r.FreezeLanguageModel && r.FreezeProjector, "freeze_language_model and freeze_projector are both true, so nothing would learn."),
        (r.FreezeLanguageModel && r.Stage == TrainingStage.Alignment, "freeze_language_model is true, but alignment never trains the language model; leave it out."),
        (r.Lora is not null && r.Stage == TrainingStage.Alignment, "lora is given, but alignment never trains the language model; leave it out."),
        (r.Lora is not null && r.FreezeLanguageModel, "lora is given beside freeze_language_model, which leaves no adapter to learn; leave one of them out."),
        (r.EvalSteps is not null && r.ValidationData is null, "eval_steps is given without validation_data, so there is nothing to measure."),
        (r.EarlyStop is not null && r.EvalSteps is null, "early_stop is given without eval_steps, so nothing would be measured before the end."),
        (r.DataOrder is not null && r.GroupByModalityLength, "data_order and group_by_modality_length are both given; the order can come from one of them only."),
        (!Devices().IsMatch(r.Device), $"device is '{r.Device}'; it must be 'cpu', 'cuda' or 'cuda:N'."),
    ];

    private static IEnumerable<(bool IsBroken, string Finding)> Sharing(TrainingRecipe r) =>
    [
        (r.Processes is < 1 or > MostProcesses, $"processes is {r.Processes}; it must be from 1 to {MostProcesses}."),
        (r.Processes is > 1 and <= MostProcesses && r.GradientAccumulation % r.Processes != 0, $"gradient_accumulation is {r.GradientAccumulation}; it must be a multiple of processes ({r.Processes}), which share out the micro-batches of a step."),
        (r.Processes > 1 && r.Device.StartsWith("cuda:", StringComparison.Ordinal), $"device is '{r.Device}' with processes {r.Processes}, each of which takes a card of its own; it must be 'cuda', or 'cpu'."),
        (r.Zero is < 0 or > 2, $"zero is {r.Zero}; it must be 0 (nothing is shared out), 1 (what the optimizer remembers) or 2 (gradients too)."),
        (r.Zero is 1 or 2 && r.Processes == 1, $"zero is {r.Zero} with one process, which has nobody to share with; leave it out, or set processes."),
        (r.OffloadOptimizer && r.Optimizer == OptimizerKind.Adafactor, "offload_optimizer is true with optimizer adafactor, which needs whole matrices and remembers next to nothing; take adamw or adamw8bit, or leave it out."),
        (r.OffloadOptimizer && r.Processes > 1 && r.Zero == 0, $"offload_optimizer is true with processes {r.Processes} and zero 0, so that host memory would hold everything as many times; set zero to 1 or 2."),
        (r.Zero is 1 or 2 && r.Optimizer == OptimizerKind.Adafactor, $"zero is {r.Zero} with optimizer adafactor, which needs whole matrices and remembers next to nothing; take adamw or adamw8bit, or leave zero out."),
    ];

    private static IEnumerable<(bool IsBroken, string Finding)> Halves(TrainingRecipe r) => !r.SplitWeights ? [] :
    [
        (r.Precision != TrainingPrecision.Bf16, "split_weights is true with precision fp32, whose products take all bits; leave it out, or set precision to bf16."),
        (r.Stage == TrainingStage.Alignment || r.Lora is not null || r.FreezeLanguageModel, "split_weights is true, but the language model's matrices do not learn; leave it out."),
        (r.Processes > 1 || r.OffloadOptimizer, "split_weights is true beside processes or offload_optimizer, whose shares are float32; leave one of them out."),
    ];

    private static IEnumerable<(bool IsBroken, string Finding)> Placement(TrainingRecipe r) => r.LayerDevices is not { } devices ? [] :
    [
        (devices.Count == 0 || devices.Any(name => !LayerDevices().IsMatch(name)), $"layer_devices is [{string.Join(", ", devices)}]; it must name one device or more, each 'cuda:N' or 'cpu'."),
        (devices is [var first, ..] && first != r.Device, $"layer_devices is [{string.Join(", ", devices)}], and device is '{r.Device}'; layer_devices begins with device."),
        (r.Processes > 1, $"layer_devices is given with processes {r.Processes}, each of which takes a device of its own; leave one of them out."),
    ];

    [GeneratedRegex(@"^(cpu|cuda:\d+)$")]
    private static partial Regex LayerDevices();

    [GeneratedRegex(@"^(linear|mlp[1-9]\d*x_gelu)$")]
    private static partial Regex ProjectorTypes();

    [GeneratedRegex(@"^(cpu|cuda(:\d+)?)$")]
    private static partial Regex Devices();
}
