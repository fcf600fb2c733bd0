using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Llava.GpuConsumer.Training;

/// <summary>Whether and how a consumer trains. One run at a time: a consumer has one device.</summary>
public sealed class TrainingOptions
{
    /// <summary>Where these options are found in the configuration.</summary>
    public const string SectionName = "Llava:Training";

    /// <summary>Whether this process trains. Default true. One that does not still serves the models that others have trained.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// Folder of runs and of the models they make, made when missing. Every consumer needs the same one. Default <c>training</c> in the data
    /// folder.
    /// </summary>
    [Required]
    public string Folder { get; set; } = Path.Combine(".llava", "training");

    /// <summary>Torch device to train on, for example <c>cpu</c> or <c>cuda:0</c>. Default cpu.</summary>
    [RegularExpression(@"^(cpu|cuda(:\d+)?)$")]
    public string Device { get; set; } = "cpu";

    /// <summary>
    /// Plain language models from which a LLaVA can be made by the mode <c>alignment</c>, by the names that runs ask for. Every consumer that trains needs the same. Default none.
    /// </summary>
    public IDictionary<string, TrainingBaseOptions> Bases { get; } = new Dictionary<string, TrainingBaseOptions>(StringComparer.Ordinal);

    /// <summary>
    /// Processes that train a run together, where its batch can be shared out: on a CPU with its cores shared out, else on a card each, and <see cref="Device"/> must be
    /// <c>cuda</c>. Default 1.
    /// </summary>
    [Range(1, 16)]
    public int Processes { get; set; } = 1;

    /// <summary>What the processes share out beside the rows: 0 nothing, 1 what the optimizer remembers, 2 gradients too. Default 0.</summary>
    [Range(0, 2)]
    public int Zero { get; set; }

    /// <summary>Whether moments lie in host memory and updates are made there, for a card that is too small for them (docs/training.md); not with <c>adafactor</c>, and of several processes only where they share the moments out. Default false.</summary>
    public bool OffloadOptimizer { get; set; }

    /// <summary>
    /// Longest that an optimizer step waits while chats and the first items of jobs are answered by this process; a run beside such work without end makes a step in each such time.
    /// Default 30 seconds, at most 10 minutes; zero never waits.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan LongestYield { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Rows of one forward pass at most; a batch of more is added up. Default 8.</summary>
    [Range(1, 256)]
    public int MicroBatch { get; set; } = 8;

    /// <summary>Fewest rows of a training file, as OpenAI asks for. Default 10.</summary>
    [Range(1, 1000)]
    public int MinRows { get; set; } = 10;

    /// <summary>Longest row, in bytes, its images inside included. Default 32 MiB.</summary>
    [Range(1 << 10, 1 << 30)]
    public int MaxRowBytes { get; set; } = 32 << 20;

    /// <summary>Longest image, in bytes. Default 10 MiB, as OpenAI's.</summary>
    [Range(1 << 10, 1 << 30)]
    public int MaxImageBytes { get; set; } = 10 << 20;

    /// <summary>Folders that rows may name images in. Default none.</summary>
    public IList<string> ImageRoots { get; set; } = [];

    /// <summary>Training checkpoints kept of a run. Default 3, as OpenAI's; each holds the weights and twice as much for the optimizer, in float32.</summary>
    [Range(1, 100)]
    public int Checkpoints { get; set; } = 3;

    /// <summary>Workers that a run may lose without a new training checkpoint in between before it fails. Default 3.</summary>
    [Range(1, 100)]
    public int MaxLosses { get; set; } = 3;

    /// <summary>How often work is looked for that no signal told of. Default 10 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1000000", "00:10:00")]
    public TimeSpan Poll { get; set; } = TimeSpan.FromSeconds(10);
}

[OptionsValidator]
internal sealed partial class TrainingOptionsRanges : IValidateOptions<TrainingOptions>;
