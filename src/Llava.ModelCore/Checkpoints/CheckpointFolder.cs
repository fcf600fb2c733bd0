using Llava.ModelCore.Checkpoints.Quantized;
using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints;

/// <summary>
/// A model on disk in any layout we read. Opening it checks the config and accounts for every tensor, by headers alone:
/// nothing missing, every shape right, nothing left over that is not known to be needless. Weights are read one by one afterwards.
/// A LoRA adapter, a projector or a delta is opened together with its base, and looks like the whole model that it makes.
/// </summary>
public sealed class CheckpointFolder : IDisposable
{
    private readonly IReadOnlyList<ITensorSource> _sources;

    private CheckpointFolder(string path, IReadOnlyList<ITensorSource> sources) => (Path, _sources) = (path, sources);

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>The folder's last segment; <c>checkpoint-N</c> folders have their parent's before it (spec 2.10).</summary>
    public string Name => ModelName(Path);

    /// <summary>How the tensors are named.</summary>
    public required CheckpointLayout Layout { get; init; }

    /// <summary>How the weights are packed for our own kernels; null for ordinary tensors. Packed parameters are listed, and cannot be read one by one.</summary>
    public required PackedHeader? Packed { get; init; }

    /// <summary>Sizes and rules.</summary>
    public required LlavaConfig Config { get; init; }

    /// <summary>Every parameter of the model with the tensor that fills it.</summary>
    public required IReadOnlyList<CheckpointTensor> Tensors { get; init; }

    /// <summary>Names of tensors that nothing uses and that are not known to be needless; empty unless <see cref="CheckpointOptions.AllowUnusedTensors"/>.</summary>
    public required IReadOnlyList<string> UnusedTensors { get; init; }

    /// <summary>What to use where a caller of generation says nothing.</summary>
    public required GenerationDefaults Generation { get; init; }

    /// <summary>
    /// Conversation template the checkpoint was trained with (<c>conversation_template</c> in config.json, a field of ours that the original
    /// ignores); null where it does not say.
    /// </summary>
    public string? ConversationTemplate { get; init; }

    /// <summary>Tokens a sequence may have.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Type the weights were saved in, by the config or else by the embedding table.</summary>
    public required ScalarType StorageType { get; init; }

    /// <summary>Vocabulary id that stands for an image in the tokenizer's files (llava-hf); null where images have none.</summary>
    public required int? ImageTokenId { get; init; }

    /// <summary>Ids from this on must never be generated: the image token and the rows behind it are not words.</summary>
    public int GeneratableVocabulary => Math.Min(ImageTokenId ?? int.MaxValue, Config.LanguageModel.VocabularySize);

    /// <summary>The base whose weights the folder's own are put together with; null for a whole model.</summary>
    public required string? BasePath { get; init; }

    /// <summary>Folder with the tokenizer's files: the checkpoint itself, or its base.</summary>
    public required string TokenizerFolder { get; init; }

    /// <summary>The vision tower's folder, where one was found; the tower itself may nevertheless be inside the checkpoint.</summary>
    public required string? VisionTowerFolder { get; init; }

    /// <summary>The preprocessor_config.json that applies: the tower's for the original layout, the checkpoint's own otherwise; null when there is none.</summary>
    public required string? PreprocessorConfigPath { get; init; }

    /// <summary>Opens and checks a folder.</summary>
    /// <exception cref="CheckpointException">The folder is not a complete model of a kind we run; the message says why.</exception>
    public static CheckpointFolder Open(string path, CheckpointOptions? options = null)
    {
        var folder = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        if (!Directory.Exists(folder))
        {
            throw new CheckpointException($"'{folder}' is not a folder. Give the folder that holds a model's config.json and weights.");
        }

        var opening = new CheckpointOpening(folder, options ?? new CheckpointOptions());
        try
        {
            return new CheckpointFolder(folder, opening.Sources)
            {
                Layout = opening.Layout,
                BasePath = opening.Folders.ElementAtOrDefault(1),
                TokenizerFolder = opening.TokenizerFolder,
                Packed = opening.Packed,
                Config = opening.Config,
                Tensors = opening.MatchTensors(),
                UnusedTensors = opening.FindUnused(),
                Generation = opening.Generation,
                ConversationTemplate = opening.ConversationTemplate,
                ContextLength = LanguageModelConfigReader.ContextLength(opening.TextSection, opening.Config.LanguageModel),
                StorageType = opening.StorageType,
                ImageTokenId = opening.ImageTokenId,
                VisionTowerFolder = opening.VisionTower,
                PreprocessorConfigPath = opening.PreprocessorConfig,
            };
        }
        catch
        {
            opening.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var source in _sources)
        {
            source.Dispose();
        }
    }

    internal static string ModelName(string path)
    {
        var segments = path.Split(['/', '\\'], StringSplitOptions.RemoveEmptyEntries);
        return segments switch
        {
            [] => "",
            [.., var parent, var last] when last.StartsWith("checkpoint-", StringComparison.Ordinal) => $"{parent}_{last}",
            [.., var last] => last,
        };
    }
}

/// <summary>One parameter of the model and the tensor that fills it.</summary>
public sealed class CheckpointTensor
{
    private readonly Func<string, Tensor> _read;

    internal CheckpointTensor(ModelParameter parameter, TensorEntry entry, string file, Func<string, Tensor> read) =>
        (Parameter, Entry, File, _read) = (parameter, entry, file, read);

    /// <summary>The parameter, in our own layout.</summary>
    public ModelParameter Parameter { get; }

    /// <summary>The tensor, as its file names it.</summary>
    public TensorEntry Entry { get; }

    /// <summary>Whether the parameter is one of several in a packed matrix.</summary>
    internal bool IsPacked { get; init; }

    /// <summary>File or index the tensor is in.</summary>
    public string File { get; }

    /// <summary>A copy on the CPU in the file's type; the caller owns it.</summary>
    /// <exception cref="CheckpointException">The file is damaged, or keeps the parameter packed (<see cref="CheckpointFolder.Packed"/>).</exception>
    public Tensor Read() => _read(Entry.Name);
}
