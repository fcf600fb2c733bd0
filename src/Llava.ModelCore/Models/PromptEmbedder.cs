using Llava.ModelCore.Prompts;
using Llava.ModelCore.Tokenization;
using static TorchSharp.torch;

namespace Llava.ModelCore.Models;

/// <summary>
/// Turns token ids with image placeholders into the decoder's input: each placeholder is replaced by the embeddings of its
/// image, in order (spec 1.7 and 1.8). Gradients flow to the embedding table and to the image embeddings.
/// </summary>
public sealed class PromptEmbedder(LanguageModel language)
{
    /// <summary>Label of a position that is no target.</summary>
    public const long IgnoredLabel = -100;

    /// <summary>Embeds one sequence.</summary>
    /// <param name="ids">Token ids, <see cref="ImagePlaceholder.TokenId"/> for each image.</param>
    /// <param name="images">Image embeddings after the projector, one (features, hidden) per placeholder.</param>
    /// <param name="labels">Target of each id, for training; image positions become <see cref="IgnoredLabel"/>.</param>
    /// <param name="maxPositions">Positions kept; the rest is cut off (<c>tokenizer_model_max_length</c>).</param>
    /// <param name="words">int64: the ids without placeholders, where they are on the decoder's device already.</param>
    /// <exception cref="PromptException">Images and placeholders differ in number, a token is outside the vocabulary, or the prompt is empty.</exception>
    public SplicedSequence Embed(IReadOnlyList<int> ids, IReadOnlyList<Tensor> images, IReadOnlyList<long>? labels = null, int? maxPositions = null, Tensor? words = null)
    {
        RequireValid(ids, images.Count, labels);
        // One lookup for all text, as one kernel and one gradient.
        var text = language.Embed(words ?? tensor([.. ids.Where(id => id != ImagePlaceholder.TokenId).Select(id => (long)id)], device: language.Device));
        var pieces = new List<Tensor>();
        var spans = new List<ImageSpan>();
        var spliced = labels is null ? null : new List<long>();
        int taken = 0, start = 0;
        for (var at = 0; at < ids.Count; at++)
        {
            if (ids[at] == ImagePlaceholder.TokenId)
            {
                var image = images[spans.Count];
                spans.Add(new ImageSpan(start, (int)image.shape[0]));
                pieces.Add(image.to(text.dtype));
                spliced?.AddRange(Enumerable.Repeat(IgnoredLabel, (int)image.shape[0]));
                start += (int)image.shape[0];
                continue;
            }

            var end = at + 1;
            while (end < ids.Count && ids[end] != ImagePlaceholder.TokenId)
            {
                end++;
            }

            pieces.Add(text.narrow(0, taken, end - at));
            spliced?.AddRange(labels!.Skip(at).Take(end - at));
            (taken, start, at) = (taken + end - at, start + end - at, end - 1);
        }

        return new SplicedSequence(cat(pieces, 0), spliced, spans).CutTo(maxPositions ?? int.MaxValue);
    }

    private void RequireValid(IReadOnlyList<int> ids, int images, IReadOnlyList<long>? labels)
    {
        var placeholders = ids.Count(id => id == ImagePlaceholder.TokenId);
        if (placeholders != images)
        {
            throw new PromptException($"The prompt has {placeholders} image placeholders but {images} images were given. Write <image> exactly once per image.");
        }

        if (ids.Count == 0)
        {
            throw new PromptException("The prompt is empty: it has neither text nor images. Give at least the begin token.");
        }

        if (labels is not null && labels.Count != ids.Count)
        {
            throw new PromptException($"The prompt has {ids.Count} ids but {labels.Count} labels. Give one label per id.");
        }

        var vocabulary = language.Config.VocabularySize;
        foreach (var id in ids)
        {
            if (id != ImagePlaceholder.TokenId && (uint)id >= (uint)vocabulary)
            {
                throw new PromptException($"Token {id} is outside the model's vocabulary of {vocabulary}. The tokenizer belongs to another model.");
            }
        }
    }
}
