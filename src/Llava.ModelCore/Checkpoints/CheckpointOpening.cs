using Llava.ModelCore.Checkpoints.Partial;
using Llava.ModelCore.Checkpoints.Quantized;
using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints;

/// <summary>The steps of <see cref="CheckpointFolder.Open"/>: recognise, read the config, find the tower, match the tensors.</summary>
internal sealed class CheckpointOpening : IDisposable
{
    private const int NamesInMessage = 8;

    private readonly string _folder;
    private readonly CheckpointOptions _options;
    private readonly ConfigSection _config;
    private readonly ITensorSource _tensors;
    private readonly List<ITensorSource> _sources = [];
    private readonly IReadOnlyList<string> _towerCandidates;
    private readonly bool _isMpt;
    private LayoutNames _names;
    private ITensorSource _towerTensors;

    public CheckpointOpening(string folder, CheckpointOptions options)
    {
        (_folder, _options) = (folder, options);
        Folders = PartialWeights.Chain(folder, options);
        // The original's adapters lack a config of their own while they are trained.
        _config = ConfigSection.Read(With("config.json") ?? Path.Combine(folder, "config.json"));
        _isMpt = MptConfigReader.Applies(_config);
        Packed = PackedHeader.Of(_config);
        if (Packed is not null && Folders.Count > 1)
        {
            throw Packed.Refusal(Folders[^1]);
        }

        var weights = PartialWeights.Open([.. Folders]);
        _tensors = _towerTensors = Opened(_isMpt ? new FusedProjections(weights) : weights);
        try
        {
            Layout = CheckpointKind.Recognise(_config, _tensors);
            _names = LayoutNames.Of(Layout, LayoutNames.FindVision(_tensors), _isMpt);
            _towerCandidates = Layout == CheckpointLayout.LlavaOriginal
                ? [.. Folders.SelectMany(start => VisionTowerFolder.Candidates(_config.Text("mm_vision_tower"), start, options.VisionTowerFolder)).Distinct()]
                : [];
            var config = Layout switch
            {
                CheckpointLayout.PlainLanguageModel => LlavaConfigReader.Plain(_config),
                CheckpointLayout.LlavaOriginal => LlavaConfigReader.Original(_config, FindTower()),
                _ => LlavaConfigReader.Hf(_config, folder),
            };
            Config = ForeignQuantization.OutlierThreshold(_config) is { } threshold ? config with { LanguageModel = config.LanguageModel with { OutlierThreshold = threshold } } : config;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The folder, and the bases of one that holds only a part of a model.</summary>
    public IReadOnlyList<string> Folders { get; }

    public CheckpointLayout Layout { get; }

    public PackedHeader? Packed { get; }

    public LlavaConfig Config { get; }

    public IReadOnlyList<ITensorSource> Sources => _sources;

    public ConfigSection TextSection => IsHf ? LlavaConfigReader.TextSection(_config) : _config;

    public ScalarType StorageType => LlavaConfigReader.StorageType(_config)
        ?? (_tensors.TryGetEntry(InFile(ModelParameters.LanguageModel + "embed_tokens.weight"), out var entry) ? entry.Type : ScalarType.Float32);

    public int? ImageTokenId => IsHf ? _config.Integer(_config.Has("image_token_index") ? "image_token_index" : "image_token_id", 32_000, min: 0) : null;

    public string? ConversationTemplate => _config.Text("conversation_template");

    public string? VisionTower => _towerCandidates.FirstOrDefault(Directory.Exists);

    public string? PreprocessorConfig => VisionTowerFolder.With([.. _towerCandidates, .. Folders], "preprocessor_config.json");

    public string TokenizerFolder => Folders.FirstOrDefault(Tokenization.TokenizerFolder.IsIn) ?? _folder;

    public GenerationDefaults Generation => GenerationDefaults.Read(Path.GetDirectoryName(With("generation_config.json")) ?? _folder, TextSection);

    private bool IsPacked(TensorEntry entry) => Packed is not null && entry.Name.StartsWith(PackedHeader.Prefix, StringComparison.Ordinal);

    private bool IsHf => Layout is CheckpointLayout.HfOld or CheckpointLayout.HfNew;

    /// <summary>Every parameter with its tensor.</summary>
    /// <exception cref="CheckpointException">Tensors are missing, or one has the wrong shape or type.</exception>
    public IReadOnlyList<CheckpointTensor> MatchTensors()
    {
        var matched = new List<CheckpointTensor>();
        var missing = new List<string>();
        foreach (var parameter in ModelParameters.Of(Config))
        {
            var source = SourceOf(parameter.Name);
            var name = InFile(parameter.Name);
            if (Packed?.Holds(parameter) == true)
            {
                matched.Add(new CheckpointTensor(parameter, new TensorEntry(name, StorageType, parameter.Shape), source.Path, _ => throw Packed.Refusal(_folder)) { IsPacked = true });
            }
            else if (source.TryGetEntry(name, out var entry))
            {
                RequireFit(parameter, entry, source);
                matched.Add(new CheckpointTensor(parameter, entry, source.Path, source.Read));
            }
            else
            {
                missing.Add($"'{name}' of shape [{string.Join(", ", parameter.Shape)}] in '{source.Path}'");
            }
        }

        if (missing.Count > 0)
        {
            throw new CheckpointException($"'{_folder}' lacks {missing.Count} of {missing.Count + matched.Count} tensors that its config calls for: {Listed(missing)}. Fetch the missing files, or correct config.json.");
        }

        if (!_options.AllowDelta)
        {
            CheckpointKind.RefuseDelta(_tensors, InFile(ModelParameters.LanguageModel + "norm.weight"));
        }

        return matched;
    }

    /// <summary>Tensors nothing uses.</summary>
    /// <exception cref="CheckpointException">There are some, and the options do not allow it.</exception>
    public IReadOnlyList<string> FindUnused()
    {
        var used = ModelParameters.Of(Config).Select(p => (SourceOf(p.Name), InFile(p.Name))).ToHashSet();
        List<string> unused = [.. _sources.SelectMany(source => source.Entries
            .Where(e => !used.Contains((source, e.Name)) && !IsPacked(e) && !_names.IsIgnorable(e.Name, Config)).Select(e => e.Name))];
        return unused.Count == 0 || _options.AllowUnusedTensors
            ? unused
            : throw new CheckpointException($"'{_folder}' holds {unused.Count} tensors that its config has no use for: {Listed([.. unused.Select(name => $"'{name}'")])}. Config and weights do not belong together, or the model has parts that are not supported.");
    }

    public void Dispose()
    {
        foreach (var source in _sources)
        {
            source.Dispose();
        }
    }

    private static string Listed(List<string> names) =>
        string.Join("; ", names.Take(NamesInMessage)) + (names.Count > NamesInMessage ? $"; and {names.Count - NamesInMessage} more" : "");

    private static void RequireFit(ModelParameter parameter, TensorEntry entry, ITensorSource source)
    {
        if (!entry.Shape.SequenceEqual(parameter.Shape))
        {
            throw new CheckpointException($"'{source.Path}': tensor '{entry.Name}' has shape [{string.Join(", ", entry.Shape)}], the config calls for [{string.Join(", ", parameter.Shape)}]. Config and weights do not belong together.");
        }

        if (entry.Type is not (ScalarType.Float16 or ScalarType.BFloat16 or ScalarType.Float32 or ScalarType.Float64))
        {
            throw new CheckpointException($"'{source.Path}': tensor '{entry.Name}' is {entry.Type}; weights must be floating point. It may be quantized by another program.");
        }
    }

    /// <summary>A file of the folder, or else of its base; null when neither has it.</summary>
    private string? With(string file) => VisionTowerFolder.With(Folders, file);

    private ITensorSource Opened(ITensorSource source)
    {
        _sources.Add(source);
        return source;
    }

    private ITensorSource SourceOf(string parameter) =>
        parameter.StartsWith(ModelParameters.VisionTower, StringComparison.Ordinal) ? _towerTensors : _tensors;

    private string InFile(string parameter) => _names.InFile(parameter, Config.Projector?.Depth ?? 0);

    /// <summary>Sizes of the tower; opens its own file when the checkpoint does not contain it.</summary>
    private VisionConfig FindTower()
    {
        var config = VisionTowerFolder.With(_towerCandidates, "config.json");
        if (LayoutNames.FindVision(_tensors) is { } inside)
        {
            return config is not null ? VisionConfigReader.ReadFolder(config)
                : VisionConfigReader.Known(_config.Text("mm_vision_tower")) ?? VisionConfigReader.Derive(_tensors, inside);
        }

        if (config is null || TensorContainer.FindIn(Path.GetDirectoryName(config)!) is not { } weights)
        {
            throw new CheckpointException($"'{_folder}' does not contain its vision tower '{_config.Text("mm_vision_tower")}', and no folder with config.json and weights was found for it. Tried: {string.Join(", ", _towerCandidates.Select(c => $"'{c}'"))}. Put the tower into one of these, or name its folder.");
        }

        _towerTensors = Opened(TensorContainer.Open(weights));
        _names = LayoutNames.Of(Layout, LayoutNames.FindVision(_towerTensors)
            ?? throw new CheckpointException($"'{weights}' holds no CLIP vision tower: no tensor is named '…embeddings.class_embedding'."), _isMpt);
        return VisionConfigReader.ReadFolder(config);
    }
}
