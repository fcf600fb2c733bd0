using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Engine.Alternatives;
using Llava.ModelCore.Engine.Chats;
using Llava.ModelCore.Engine.Cuda;
using Llava.ModelCore.Grammars;
using Llava.ModelCore.Imaging;
using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using Llava.ModelCore.Native.Cuda;
using Llava.ModelCore.Prompts;
using Llava.ModelCore.Quantization;
using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Engine;

/// <summary>
/// A checkpoint ready to answer: tokenizer, prompt template, image preprocessing and engine together. The one door for whoever wants
/// answers and not tensors.
/// </summary>
public sealed class LoadedModel : IAsyncDisposable
{
    private readonly LlavaModel _model;
    private readonly PackedTower? _tower;
    private readonly LlavaEngine _engine;
    private readonly QuestionPreparation _preparation;

    private LoadedModel(string name, string revision, LlavaModel model, PackedTower? tower, LlavaEngine engine, QuestionPreparation preparation, ModelMemory memory, ChatModel chat) =>
        (Name, Revision, _model, _tower, _engine, _preparation, Memory, Chat) = (name, revision, model, tower, engine, preparation, memory, chat);

    /// <summary>The checkpoint's name: its folder's.</summary>
    public string Name { get; }

    /// <summary>Changes when the weights, the settings beside them, their quantization or the type that they are computed in change.</summary>
    public string Revision { get; }

    /// <summary>The template that questions use unless they name another.</summary>
    public ConversationTemplate Template => _preparation.Template;

    /// <summary>Whether questions may bring images.</summary>
    public bool HasVision => _model.Config.Vision is not null;

    /// <summary>Positions that an image takes in a prompt; 0 without vision.</summary>
    public int ImageTokens => _model.Config.Vision?.Features ?? 0;

    /// <summary>What it takes, by the tensors that are there and the bounds of those that come and go.</summary>
    public ModelMemory Memory { get; }

    /// <inheritdoc cref="DeviceChoice.FallbackReason"/>
    public string? FallbackReason { get; private init; }

    /// <summary>Conversations, answered as they are generated.</summary>
    public ChatModel Chat { get; }

    /// <summary>What the engine is doing.</summary>
    public EngineStatistics Statistics => _engine.Statistics;

    /// <inheritdoc cref="LlavaEngine.TimeWithoutStep"/>
    public TimeSpan TimeWithoutStep => _engine.TimeWithoutStep;

    /// <inheritdoc cref="LlavaEngine.Fault"/>
    public Exception? Fault => _engine.Fault;

    /// <summary>What runs prepared questions.</summary>
    internal LlavaEngine Engine => _engine;

    /// <summary>Loads a checkpoint and starts its engine.</summary>
    /// <param name="folder">A checkpoint in any layout we read.</param>
    /// <param name="options">Sizes of the engine.</param>
    /// <param name="time">Clock; null is the system's.</param>
    /// <exception cref="LlavaException">The checkpoint, its tokenizer, its image settings or the options cannot be used.</exception>
    public static LoadedModel Load(string folder, EngineOptions? options = null, TimeProvider? time = null) => Load(folder, options ?? new EngineOptions(), time, CudaSession.Open);

    /// <summary>Loads it on a device that is opened in another way.</summary>
    internal static LoadedModel Load(string folder, EngineOptions options, TimeProvider? time, Func<int, CudaSession> open)
    {
        options.RequireValid();
        using var checkpoint = CheckpointFolder.Open(folder);
        ((options, var fallback), var session) = DeviceChoice.Open(checkpoint, options, open);
        var revision = RevisionOf(checkpoint.Path, options);
        options = options.For(checkpoint);
        LlavaModel? model = null;
        PackedTower? tower = null;
        try
        {
            var tokenizer = TokenizerFolder.Open(checkpoint.TokenizerFolder);
            model = LlavaModelLoader.Load(checkpoint, hasLanguage: options.Runner == RunnerKind.Torch);
            if (options.LayerDevices.Count > 0)
            {
                model.Place(LayerPlacement.Over(checkpoint.Config, [.. options.LayerDevices.Select(DeviceName.Find)]));
            }

            // Everything that may be wrong with the folder comes first: an engine that runs holds on to the model.
            var (preprocessor, template) = (Preprocessor(checkpoint), TemplateOf(checkpoint));
            tower = PackedTower.Pack(model, options, checkpoint);
            var (engine, languageBytes) = session is null ? Start(checkpoint, model, options, time) : Start(checkpoint, model, session, options, time);
            var preparation = new QuestionPreparation(checkpoint, tokenizer, preprocessor, template, engine);
            var memory = ModelMemory.Of(model, options, engine.KvBytes, languageBytes + (tower?.Bytes ?? 0));
            return new LoadedModel(checkpoint.Name, revision, model, tower, engine, preparation, memory, new ChatModel(checkpoint.Config, tokenizer, preparation, engine)) { FallbackReason = fallback };
        }
        catch
        {
            tower?.Dispose();
            model?.Dispose();
            session?.Dispose();
            throw;
        }
    }

    /// <summary>The revision that a checkpoint has once it is loaded.</summary>
    /// <exception cref="CheckpointException">The folder cannot be read.</exception>
    public static string RevisionOf(string folder, EngineOptions options) =>
        CheckpointFingerprint.Of(folder) + (options.Quantize == QuantizationScheme.None ? "" : $"-{options.Quantize.Word()}") + (options.UsesCuda ? options.Cuda.KvCache == KvCacheType.Fp8 ? "-bf16-kv8" : "-bf16" : "");

    /// <summary>Decodes, resizes and tokenizes on the calling thread; several may do so at the same time.</summary>
    /// <exception cref="ImageException">An image cannot be used.</exception>
    /// <exception cref="PromptException">The template is unknown or cannot express the question.</exception>
    /// <exception cref="GrammarException">What the answer has to look like cannot be used.</exception>
    /// <exception cref="RequestRefusedException">Images and placeholders differ in number, or the prompt is longer than the context.</exception>
    public PreparedQuestion Prepare(Question question) => _preparation.Prepare(question);

    /// <summary>Answers a prepared question in the running batch.</summary>
    /// <exception cref="SequenceFailedException">The engine failed on it.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled, or the engine is stopping.</exception>
    public async Task<Answer> AnswerAsync(PreparedQuestion question, CancellationToken cancellationToken = default)
    {
        if (question.Alternatives is { } alternatives)
        {
            return await AnswerAsync(question.Request, alternatives, cancellationToken);
        }

        var handle = await _engine.SubmitAsync(question.Request, cancellationToken);
        var result = await EndAsync(handle, cancellationToken);
        return new Answer(question.Text.Finish(), result);
    }

    /// <summary>Prepares and answers.</summary>
    /// <inheritdoc cref="AnswerAsync(PreparedQuestion, CancellationToken)"/>
    /// <inheritdoc cref="Prepare(Question)"/>
    public Task<Answer> AnswerAsync(Question question, CancellationToken cancellationToken = default) =>
        AnswerAsync(Prepare(question), cancellationToken);

    /// <summary>
    /// One vector of length 1 for an image: the mean of the vision tower's features that the projector takes (spec 1.2), not CLIP's contrastive embedding,
    /// whose head no LLaVA checkpoint has.
    /// </summary>
    /// <exception cref="ImageException">The image cannot be used.</exception>
    /// <exception cref="RequestRefusedException">The model has no vision tower.</exception>
    public async Task<float[]> EmbedAsync(byte[] image, CancellationToken cancellationToken = default) =>
        await _engine.EmbedAsync(await Task.Run(() => _preparation.Pixels(image), cancellationToken)).WaitAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        _tower?.Dispose();
        _model.Dispose();
        FreedMemory.ReturnToSystem();
    }

    private async Task<Answer> AnswerAsync(SequenceRequest request, AlternativeSet alternatives, CancellationToken cancellationToken)
    {
        List<SequenceHandle> handles = [];
        foreach (var scored in alternatives.Requests(request))
        {
            handles.Add(await _engine.SubmitAsync(scored, cancellationToken));
        }

        var results = await Task.WhenAll(handles.Select(handle => EndAsync(handle, cancellationToken)));
        var scores = alternatives.Scores(results);
        var chosen = AlternativeSet.Choose(scores, request.Sampling);
        return new(scores[chosen].Text, results[chosen] with { Reason = FinishReason.Stop }, scores);
    }

    private static async Task<SequenceResult> EndAsync(SequenceHandle handle, CancellationToken cancellationToken)
    {
        var result = await handle.Completion;
        return result.Reason switch
        {
            FinishReason.Error => throw result.Error!,
            FinishReason.Cancelled => throw new OperationCanceledException("The question was cancelled before it was answered.", cancellationToken),
            _ => result,
        };
    }

    /// <summary>An engine on the runner that the options name, and the bytes of a language model that is not torch's.</summary>
    private static (LlavaEngine Engine, long LanguageBytes) Start(CheckpointFolder checkpoint, LlavaModel model, EngineOptions options, TimeProvider? time)
    {
        if (!options.UsesKernels)
        {
            return (new LlavaEngine(model, options, time), 0);
        }

        var weights = PackedCheckpoint.Load(checkpoint, options);
        try
        {
            return (new LlavaEngine(model, weights, options, time), weights.Bytes);
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>An engine on a device, and the bytes of its language model.</summary>
    private static (LlavaEngine Engine, long LanguageBytes) Start(CheckpointFolder checkpoint, LlavaModel model, CudaSession session, EngineOptions options, TimeProvider? time)
    {
        session.Enter();
        CudaRunner.Place(model, session.Device);
        var tensors = checkpoint.Tensors.ToDictionary(tensor => tensor.Parameter.Name);
        DeviceWeights weights = new(checkpoint.Config.LanguageModel, name => tensors[name].Read(), session, options);
        try
        {
            var clock = time ?? TimeProvider.System;
            return (new LlavaEngine(checkpoint.Config, options, positions => new CudaRunner(session, model, weights, options, positions, clock), clock), weights.Bytes);
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>The template that questions are put in unless another is asked for.</summary>
    internal static ConversationTemplate TemplateOf(CheckpointFolder checkpoint) => checkpoint.ConversationTemplate is { } named
        ? ConversationTemplates.Find(named)
        : TemplateSelection.ForModelName(checkpoint.Name);

    private static ClipPreprocessor? Preprocessor(CheckpointFolder checkpoint)
    {
        if (checkpoint.Config.Vision is not { } vision)
        {
            return null;
        }

        var settings = checkpoint.PreprocessorConfigPath is { } path ? PreprocessorConfig.Load(path) : PreprocessorConfig.ForSide(vision.ImageSize);
        return settings.CropSide == vision.ImageSize
            ? new ClipPreprocessor(settings)
            : throw new PreprocessorConfigException($"'{checkpoint.PreprocessorConfigPath}' makes images of {settings.CropSide} pixels a side, and the vision tower of '{checkpoint.Path}' takes {vision.ImageSize}. One of the two files belongs to another model.");
    }
}
