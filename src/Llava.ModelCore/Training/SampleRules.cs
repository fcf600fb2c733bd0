using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Training;

/// <summary>What a sample must satisfy to be trained with; everything upstream asserts, ignores or silently gets wrong.</summary>
/// <param name="processor">Makes ids and labels.</param>
/// <param name="images">Finds images; null for a model without a vision tower.</param>
/// <param name="verifiesImages">Whether images are decoded, not only looked for.</param>
/// <param name="features">Positions that an image takes.</param>
/// <param name="maxPositions">Positions kept of a sample; null for all.</param>
internal sealed class SampleRules(SampleProcessor processor, SampleImages? images, bool verifiesImages, int features = 1, int? maxPositions = null)
{
    /// <summary>The rules of a recipe's data.</summary>
    public static SampleRules For(TrainingRecipe recipe, LlavaConfig config, SampleProcessor processor, SampleImages? images) =>
        new(processor, images, recipe.VerifyImages, config.Vision?.Features ?? 1, recipe.MaxPositions);

    /// <summary>Checks samples on all cores.</summary>
    public CheckedSamples Check(IEnumerable<InstructionSample> samples)
    {
        var read = samples.AsParallel().AsOrdered().Select(sample => (Sample: sample, Result: Check(sample))).ToList();
        return new(
            [.. read.SelectMany(one => one.Result.Findings.Select(what => new SampleFinding(one.Sample.Index, $"{one.Sample.Name} {what}")))],
            read.Where(one => one.Result.Size is not null).ToDictionary(one => one.Sample.Index, one => one.Result.Size!.Value));
    }

    private (List<string> Findings, SampleSize? Size) Check(InstructionSample sample)
    {
        List<string> findings = [.. Conversation(sample), .. Placeholders(sample), .. Image(sample)];
        if (findings.Count > 0)
        {
            // Labels are only worth looking at when the conversation is sound.
            return (findings, null);
        }

        try
        {
            var example = processor.Process(sample);
            findings = [.. Labels(example)];
            return (findings, findings.Count > 0 ? null : SizeOf(example));
        }
        catch (LlavaException e)
        {
            return ([$"cannot be written in the template. {e.Message}"], null);
        }
    }

    private SampleSize SizeOf(TrainingExample example)
    {
        var image = example.Sample.Image is null ? 0 : features - 1;
        var ids = Math.Min(example.Ids.Length, processor.MaxLength);
        var kept = Math.Min(ids + image, maxPositions ?? int.MaxValue);
        // A text-only prompt was cut when it was encoded: one that fills the length has most likely lost its end.
        return new(kept, kept < example.Ids.Length + image || (example.Sample.Image is null && ids == processor.MaxLength));
    }

    private IEnumerable<string> Conversation(InstructionSample sample)
    {
        var unknown = sample.Turns.Select(turn => turn.From).Where(from => from is not (ConversationTurn.Human or ConversationTurn.Assistant)).Distinct().ToList();
        if (unknown.Count > 0)
        {
            yield return $"has turns from {string.Join(", ", unknown.Select(from => $"'{from}'"))}; speakers are 'human' and 'gpt'.";
            yield break;
        }

        // A first turn that is not from the human is dropped, as upstream does.
        var turns = sample.Turns.SkipWhile((turn, i) => i == 0 && turn.From != ConversationTurn.Human).ToList();
        if (turns.Count < 2)
        {
            yield return "has no question with an answer.";
        }
        else if (turns.Where((turn, i) => turn.From != (i % 2 == 0 ? ConversationTurn.Human : ConversationTurn.Assistant)).Any())
        {
            yield return "has turns that do not alternate between 'human' and 'gpt'.";
        }
        else if (processor.IsCaptionOnly && (sample.Turns.Count != 2 || turns.Count != 2))
        {
            yield return $"has {sample.Turns.Count} turns; this template takes one question and one caption.";
        }
    }

    private IEnumerable<string> Placeholders(InstructionSample sample)
    {
        var shown = sample.Turns.Count(turn => turn.Value.Contains(ImagePlaceholder.Text, StringComparison.Ordinal));
        if (sample.Image is null && shown > 0)
        {
            yield return $"writes {ImagePlaceholder.Text} but has no image.";
        }
        else if (sample.Image is not null && shown != 1)
        {
            yield return $"has one image but {shown} turns with {ImagePlaceholder.Text}; exactly one turn must show it.";
        }
        else if (processor.IsCaptionOnly && (sample.Image is null || !sample.Turns[0].Value.Contains(ImagePlaceholder.Text, StringComparison.Ordinal)))
        {
            yield return $"must show an image in its first turn, because this template trains captions.";
        }
    }

    private IEnumerable<string> Image(InstructionSample sample)
    {
        if (sample.Image is null)
        {
            yield break;
        }

        if (images is null)
        {
            yield return "has an image, but the model has no vision tower.";
        }
        else if (!File.Exists(images.PathOf(sample)))
        {
            yield return $"names the image '{images.PathOf(sample)}', which does not exist.";
        }
        else if (verifiesImages)
        {
            var problem = "";
            try
            {
                images.Load(sample);
            }
            catch (TrainingException e)
            {
                problem = e.Message;
            }

            if (problem.Length > 0)
            {
                yield return "has a bad image. " + problem;
            }
        }
    }

    private IEnumerable<string> Labels(TrainingExample example)
    {
        var placeholder = Array.IndexOf(example.Ids, ImagePlaceholder.TokenId);
        if (placeholder >= processor.MaxLength)
        {
            yield return $"has its image at position {placeholder}, behind model_max_length {processor.MaxLength}.";
        }
        else if (example.TargetsWithin(processor.MaxLength) == 0)
        {
            // A text-only prompt has been cut already.
            var isTooLong = example.Ids.Length >= processor.MaxLength && (example.Sample.Image is null || example.TargetsWithin(example.Ids.Length) > 0);
            yield return isTooLong
                ? $"teaches nothing: its first answer starts behind model_max_length {processor.MaxLength}."
                : "teaches nothing: its text contains the template's own markers, so no answer could be told from its question.";
        }
    }
}

/// <summary>What checking samples came to.</summary>
/// <param name="Findings">What is wrong, in the samples' order.</param>
/// <param name="Sizes">By index, the samples that nothing is wrong with.</param>
internal sealed record CheckedSamples(IReadOnlyList<SampleFinding> Findings, IReadOnlyDictionary<int, SampleSize> Sizes);

/// <summary>How long a sample is.</summary>
/// <param name="Positions">Text and image positions that are kept of it.</param>
/// <param name="IsCut">Whether some were not kept.</param>
internal readonly record struct SampleSize(int Positions, bool IsCut);
