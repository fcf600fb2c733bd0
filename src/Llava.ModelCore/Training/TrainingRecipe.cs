using System.Text.Json;
using System.Text.Json.Serialization;
using Llava.ModelCore.Imaging;
using Llava.ModelCore.Training.Optimizers;

namespace Llava.ModelCore.Training;

/// <summary>
/// Everything that decides a training run, as one JSON file with the property names in snake case; comments are allowed,
/// unknown names are not. The defaults are those of LLaVA's published recipes (spec 7.2).
/// </summary>
public sealed record TrainingRecipe
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    /// <summary>What is trained.</summary>
    public TrainingStage Stage { get; init; }

    /// <summary>Folder of the checkpoint to start from: a plain language model or a LLaVA.</summary>
    public string Base { get; init; } = "";

    /// <summary>Folder of the CLIP tower; null takes the tower the base names or contains.</summary>
    public string? VisionTower { get; init; }

    /// <summary>Hidden state of the tower that is the feature, counted as in Python. Default −2. Only read when the base has no tower.</summary>
    public int VisionSelectLayer { get; init; } = -2;

    /// <summary><c>linear</c> or <c>mlpNx_gelu</c>. Only read when the base has no projector. Default linear.</summary>
    public string ProjectorType { get; init; } = "linear";

    /// <summary>Projector file to start from (<c>mm_projector.bin</c>); null keeps the base's, or draws a new one from <see cref="Seed"/>.</summary>
    public string? Projector { get; init; }

    /// <summary>Whether instruction tuning leaves the projector as it is (<c>freeze_mm_mlp_adapter</c>).</summary>
    public bool FreezeProjector { get; init; }

    /// <summary>Whether instruction tuning leaves the language model as it is (<c>freeze_backbone</c>, the head included): only the projector learns.</summary>
    public bool FreezeLanguageModel { get; init; }

    /// <summary>A low-rank adapter that learns in the language model's place; null trains the weights themselves. Instruction tuning only.</summary>
    public LoraRecipe? Lora { get; init; }

    /// <summary>Instruction data: a JSON array of samples, or one sample per line.</summary>
    public string Data { get; init; } = "";

    /// <summary>Data to measure with, in the same form; null measures nothing.</summary>
    public string? ValidationData { get; init; }

    /// <summary>Optimizer steps between two measurements; null measures only after the last. Default null.</summary>
    public int? EvalSteps { get; init; }

    /// <summary>Measurements in a row without a lower validation loss after which the run ends early; null never does.</summary>
    public int? EarlyStop { get; init; }

    /// <summary>Folder the samples' image paths start at.</summary>
    public string? ImageFolder { get; init; }

    /// <summary>JSON file with one list of sample indices per epoch; null draws the order from <see cref="Seed"/>.</summary>
    public string? DataOrder { get; init; }

    /// <summary>Whether samples with findings are left out and reported, instead of refusing the data set.</summary>
    public bool SkipBadSamples { get; init; }

    /// <summary>Whether every image is decoded before the first step. Default false: it is only checked to exist.</summary>
    public bool VerifyImages { get; init; }

    /// <summary>Prompt template, for example <c>plain</c> or <c>v1</c>.</summary>
    public string Template { get; init; } = "";

    /// <summary>
    /// Template that the model is asked with, and tuned with next, once alignment has ended; written into its config.json. Alignment only; null writes none.
    /// </summary>
    public string? InstructionTemplate { get; init; }

    /// <summary>How an image becomes a square. Default square: centre crop.</summary>
    public ImageAspect ImageAspectRatio { get; init; }

    /// <summary>Samples of one forward pass. Default 16.</summary>
    public int MicroBatch { get; init; } = 16;

    /// <summary>Micro-batches whose gradients are averaged into one optimizer step. Default 1.</summary>
    public int GradientAccumulation { get; init; } = 1;

    /// <summary>
    /// Processes that share out the micro-batches of each step, one for each card or, on a CPU, with its cores shared out; the batch stays what it is.
    /// 1 to 16, and <see cref="GradientAccumulation"/> a multiple of it. Default 1.
    /// </summary>
    public int Processes { get; init; } = 1;

    /// <summary>
    /// What the processes share out beside the micro-batches, as DeepSpeed's ZeRO stages: 0 nothing, 1 what the optimizer remembers, 2 gradients too. Default 0.
    /// </summary>
    public int Zero { get; init; }

    /// <summary>
    /// Whether <see cref="MicroBatch"/> is halved, and <see cref="GradientAccumulation"/> doubled, until the run fits into memory. Default false: a run that does
    /// not fit is refused with its figures. A resumed run keeps what was chosen.
    /// </summary>
    public bool AutoMicroBatch { get; init; }

    /// <summary>
    /// Decoder layers that keep nothing but their input in the forward pass and are computed once more in the backward pass; the last never is.
    /// Null takes as few as fit into memory.
    /// </summary>
    public int? RecomputeLayers { get; init; }

    /// <summary>Memory that the run may take, each process of it, in GiB; null takes what is free, on a CPU or on the devices.</summary>
    public double? MemoryGb { get; init; }

    /// <summary>Passes over the data; may be fractional. Default 1. Ignored when <see cref="MaxSteps"/> is given.</summary>
    public double Epochs { get; init; } = 1;

    /// <summary>Optimizer steps of the run; null counts them from <see cref="Epochs"/>.</summary>
    public int? MaxSteps { get; init; }

    /// <summary>Highest learning rate.</summary>
    public double LearningRate { get; init; }

    /// <summary>Highest learning rate of the projector; null uses <see cref="LearningRate"/> (<c>mm_projector_lr</c>).</summary>
    public double? ProjectorLearningRate { get; init; }

    /// <summary>Share of the steps with linear warm-up. Default 0.03.</summary>
    public double WarmupRatio { get; init; } = 0.03;

    /// <summary>Shape after warm-up. Default cosine.</summary>
    public LearningRateShape Schedule { get; init; } = LearningRateShape.Cosine;

    /// <summary>How parameters follow their gradients. Default adamw.</summary>
    public OptimizerKind Optimizer { get; init; }

    /// <summary>
    /// Whether what the optimizer remembers, a copy of all that learns and sums of gradients are kept in host memory, where the updates are made too (Ren et al. 2021,
    /// ZeRO-Offload): 12 bytes for each number that learns which a card need not hold, for 8 bytes over the bus at each update. Default false.
    /// </summary>
    public bool OffloadOptimizer { get; init; }

    /// <summary>
    /// Whether the language model's matrices are kept as bfloat16, which products take as they are, and beside it the other 16 bits of float32 for the optimizer: as many bytes as float32, but
    /// nothing to convert for a product, and gradients, sums of them too, in bfloat16. For all weights of a model whose float32 sums do not fit. Default false.
    /// </summary>
    public bool SplitWeights { get; init; }

    /// <summary>Decoupled weight decay on everything except biases and LayerNorm. Default 0.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Largest gradient norm; null never clips, which is what the published DeepSpeed recipes do (spec 7.2).</summary>
    public double? Clip { get; init; }

    /// <summary>Token ids kept of a sample, counted before image features take the placeholder's position. Default 2048.</summary>
    public int ModelMaxLength { get; init; } = 2048;

    /// <summary>
    /// Positions kept once image features are in place, written into the checkpoint as <c>tokenizer_model_max_length</c>;
    /// null keeps all, as LLaVA 1.0 does. LLaVA 1.5 was trained with the value of <see cref="ModelMaxLength"/>.
    /// </summary>
    public int? MaxPositions { get; init; }

    /// <summary>Whether micro-batches hold samples of like modality and length (spec 7.7).</summary>
    public bool GroupByModalityLength { get; init; }

    /// <summary>Seed of the data order and of a new projector. Default 42.</summary>
    public long Seed { get; init; } = 42;

    /// <summary>Optimizer steps between training checkpoints; null saves only at the end.</summary>
    public int? SaveSteps { get; init; }

    /// <summary>Training checkpoints kept; null keeps all. Default 1.</summary>
    public int? SaveTotalLimit { get; init; } = 1;

    /// <summary>Whether each step's figures also go into event files for TensorBoard, in <c>tensorboard</c> of the output folder. Default false.</summary>
    public bool Tensorboard { get; init; }

    /// <summary>Type matrix products are computed in; weights and moments are always float32. Default bf16.</summary>
    public TrainingPrecision Precision { get; init; } = TrainingPrecision.Bf16;

    /// <summary>Torch device, for example <c>cpu</c> or <c>cuda:0</c>. Default cpu.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>
    /// Devices that the decoder's layers are laid over, for a model that is larger than one, for example <c>["cuda:0", "cuda:1"]</c>; the first is <see cref="Device"/>. They compute one
    /// after the other. Null has all on one.
    /// </summary>
    public IReadOnlyList<string>? LayerDevices { get; init; }

    /// <summary>Whether matrices that stand frozen are kept in bfloat16: where products are, and nothing that is saved has them.</summary>
    internal bool RoundsFrozen => Precision == TrainingPrecision.Bf16 && (Stage == TrainingStage.Alignment || Lora is not null);

    /// <summary>Whether host memory is another than that of the device.</summary>
    internal bool IsOffloaded => OffloadOptimizer && Device != "cpu";

    /// <summary>Reads and checks a recipe; relative paths in it start at the recipe's own folder.</summary>
    /// <exception cref="TrainingException">The file cannot be read as a recipe.</exception>
    /// <exception cref="TrainingValidationException">The values are wrong; all findings at once.</exception>
    public static TrainingRecipe Load(string path)
    {
        TrainingRecipe recipe;
        try
        {
            var bytes = File.ReadAllBytes(path);
            using (var written = JsonDocument.Parse(bytes, new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true }))
            {
                if (RecipeFields.Findings(written.RootElement).ToList() is { Count: > 0 } findings)
                {
                    throw new TrainingValidationException(path, findings);
                }
            }

            recipe = JsonSerializer.Deserialize<TrainingRecipe>(bytes, Json)
                ?? throw new TrainingException($"Recipe '{path}' is 'null'; it must be a JSON object.");
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new TrainingException($"Recipe '{path}' cannot be read: {e.Message}", e);
        }

        recipe = recipe.RelativeTo(Path.GetDirectoryName(Path.GetFullPath(path))!);
        recipe.Check(path);
        return recipe;
    }

    /// <summary>The recipe as JSON, in the form <see cref="Load"/> reads.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>Checks every value and that every named file exists.</summary>
    /// <param name="subject">How the recipe is called in the message.</param>
    /// <exception cref="TrainingValidationException">All findings at once.</exception>
    public void Check(string subject = "recipe")
    {
        var findings = RecipeRules.Findings(this).ToList();
        if (findings.Count > 0)
        {
            throw new TrainingValidationException(subject, findings);
        }
    }

    /// <summary>Whether a resumed run may have another value: where things lie and how often to save does not change the losses.</summary>
    internal static bool MayChangeOnResume(string field) => field is "base" or "vision_tower" or "projector" or "data" or "image_folder" or "data_order"
        or "device" or "save_steps" or "save_total_limit" or "verify_images" or "skip_bad_samples" or "validation_data" or "eval_steps" or "recompute_layers" or "memory_gb" or "auto_micro_batch" or "tensorboard" or "processes" or "zero" or "offload_optimizer" or "layer_devices" or "split_weights";

    private TrainingRecipe RelativeTo(string folder) => this with
    {
        Base = Resolve(folder, Base) ?? "",
        VisionTower = Resolve(folder, VisionTower),
        Projector = Resolve(folder, Projector),
        Data = Resolve(folder, Data) ?? "",
        ValidationData = Resolve(folder, ValidationData),
        ImageFolder = Resolve(folder, ImageFolder),
        DataOrder = Resolve(folder, DataOrder),
    };

    private static string? Resolve(string folder, string? path) => string.IsNullOrEmpty(path) ? path : Path.GetFullPath(path, folder);
}

/// <summary>What a run trains (spec 7.8).</summary>
public enum TrainingStage
{
    /// <summary>Stage 1: the projector alone learns to speak the language model's embedding space.</summary>
    Alignment,

    /// <summary>Stage 2: language model and projector learn to follow instructions; the vision tower stays frozen.</summary>
    InstructionTuning,
}

/// <summary>Type matrix products are computed in.</summary>
public enum TrainingPrecision
{
    /// <summary>float32.</summary>
    Fp32,

    /// <summary>bfloat16 products on float32 weights.</summary>
    Bf16,
}
