using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Training;

/// <summary>What a sample must satisfy to be trained with; everything upstream asserts, ignores or silently gets wrong.</summary>
/// <param name="processor">Makes ids and labels.</param>
/// <param name="images">Finds images; null for a model without a vision tower.</param>
/// <param name="verifiesImages">Whether images are decoded, not only looked for.</param>
internal sealed class SampleRules(SampleProcessor processor, SampleImages? images, bool verifiesImages)
{
    /// <summary>Checks samples on all cores.</summary>
    /// <returns>Findings in the samples' order.</returns>
    public IReadOnlyList<SampleFinding> Check(IEnumerable<InstructionSample> samples) => [.. samples.AsParallel().AsOrdered()
        .SelectMany(sample => FindingsOf(sample).Select(what => new SampleFinding(sample.Index, $"{sample.Name} {what}")))];

    private List<string> FindingsOf(InstructionSample sample)
    {
        List<string> findings = [.. Conversation(sample), .. Placeholders(sample), .. Image(sample)];
        if (findings.Count > 0)
        {
            // Labels are only worth looking at when the conversation is sound.
            return findings;
        }

        try
        {
            return [.. Labels(processor.Process(sample))];
        }
        catch (LlavaException e)
        {
            return [$"cannot be written in the template. {e.Message}"];
        }
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
