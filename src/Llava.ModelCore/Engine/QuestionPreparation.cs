using System.Diagnostics;
using System.Security.Cryptography;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Engine.Alternatives;
using Llava.ModelCore.Grammars;
using Llava.ModelCore.Imaging;
using Llava.ModelCore.Prompts;
using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Engine;

/// <summary>Turns questions into what the engine runs. No tensors, no state: any number of threads may use it.</summary>
internal sealed class QuestionPreparation(
    CheckpointFolder checkpoint, ITokenizer tokenizer, ClipPreprocessor? preprocessor, ConversationTemplate template, LlavaEngine engine)
{
    private readonly ImageDecoder _decoder = new();
    private readonly LlavaConfig _config = checkpoint.Config;
    private readonly GenerationDefaults _defaults = checkpoint.Generation;
    private readonly int _vocabulary = Math.Min(checkpoint.GeneratableVocabulary, tokenizer.VocabularySize);
    private readonly GrammarCache _grammars = new(() => TokenVocabulary.Of(tokenizer, Math.Min(checkpoint.GeneratableVocabulary, tokenizer.VocabularySize)));

    public ConversationTemplate Template => template;

    public PreparedQuestion Prepare(Question question)
    {
        var chosen = question.Template is { } name ? ConversationTemplates.Find(name) : template;
        var prompt = Conversation.Start(chosen).Add(Speaker.User, WithImages(question.Text, question.Images.Count)).Add(Speaker.Assistant, null).ToPrompt();
        var stops = StopRule.For(tokenizer, chosen, question.StopStrings);
        var form = Form(question.Grammar, question.StopStrings, stops);
        var text = new AnswerText(form);
        var request = new SequenceRequest
        {
            PromptTokens = ImagePlaceholder.Encode(tokenizer, prompt),
            Images = [.. question.Images.Select(image => Pixels(image, question.Aspect))],
            Priority = question.Priority,
            StopCondition = text,
            Constraint = form.StartConstraint(),
        };
        return new PreparedQuestion(request with { Sampling = Sampling(question.Sampling, request, stops) }, text, Alternatives(question.Alternatives, stops));
    }

    /// <summary>How answers are bound and read.</summary>
    /// <exception cref="GrammarException">The grammar cannot be used.</exception>
    /// <exception cref="RequestRefusedException">Stop strings are to end what a grammar says the end of.</exception>
    internal AnswerForm Form(Grammar? grammar, IReadOnlyList<string> asked, StopRule stops)
    {
        if (grammar is not null && asked.Any(text => text.Length > 0))
        {
            throw new RequestRefusedException("invalid_settings", "Stop strings cannot end an answer that must look a certain way: its end is part of that. Leave them out.");
        }

        return new(tokenizer, stops.Strings, grammar is null ? null : _grammars.Get(grammar));
    }

    /// <summary>The only answers there are, in tokens; null where any will do.</summary>
    /// <exception cref="RequestRefusedException">They cannot be told apart, or are too many.</exception>
    internal AlternativeSet? Alternatives(IReadOnlyList<string> texts, StopRule stops) =>
        texts.Count == 0 ? null : AlternativeSet.Of(texts, tokenizer, tokenizer.EosId is { } eos && stops.EndsAtEos(tokenizer) ? eos : null, _defaults.ChoiceTemperature ?? 1);

    /// <summary>
    /// The user's turn. Where the text has no placeholder, the images go before it, each followed by a line feed, enclosed as the
    /// checkpoint was trained (spec 5.1, 1.10).
    /// </summary>
    internal string WithImages(string text, int images) => WithImages(_config, text, images);

    /// <inheritdoc cref="WithImages(string, int)"/>
    internal static string WithImages(LlavaConfig config, string text, int images)
    {
        const string Enclosed = $"<im_start>{ImagePlaceholder.Text}<im_end>";
        var image = config.UseImageStartEnd ? Enclosed : ImagePlaceholder.Text;
        if (ImagePlaceholder.Count(text) == 0)
        {
            return string.Concat(Enumerable.Repeat(image + "\n", images)) + text;
        }

        // Whoever knows the model's own tokens may have written them.
        return config.UseImageStartEnd ? text.Replace(Enclosed, ImagePlaceholder.Text, StringComparison.Ordinal).Replace(ImagePlaceholder.Text, image, StringComparison.Ordinal) : text;
    }

    /// <summary>Decodes and resizes an image, the checkpoint's own way unless another is named.</summary>
    internal ImageInput Pixels(byte[] encoded, ImageAspect? asked = null)
    {
        var aspect = asked ?? _config.ImageAspect;
        if (preprocessor is null)
        {
            throw new RequestRefusedException("image_count_mismatch", $"'{checkpoint.Name}' has no vision tower and answers text only; the question brings an image.");
        }

        var started = Stopwatch.GetTimestamp();
        var pixels = preprocessor.Process(encoded, _decoder, aspect);
        PreparationMetrics.ImageDuration.Record(Stopwatch.GetElapsedTime(started).TotalSeconds);
        // The file's hash names the content: cheaper than the pixels', and the same for the same way of squaring.
        return new ImageInput(pixels.Values, pixels.Side, $"{Convert.ToHexString(SHA256.HashData(encoded))}-{aspect}");
    }

    /// <summary>Stop tokens and vocabulary come from the checkpoint; the answer is cut to what the context has left.</summary>
    internal SamplingSettings Sampling(SamplingSettings asked, SequenceRequest request, StopRule stops)
    {
        var left = Math.Max(1, engine.ContextLimit - engine.CountPositions(request));
        return asked with
        {
            MaxNewTokens = Math.Min(asked.MaxNewTokens, left),
            StopTokens = [.. stops.Ids.Union(_defaults.EndTokens).Union(asked.StopTokens)],
            VocabularyLimit = _vocabulary,
        };
    }
}
