using System.Runtime.InteropServices;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Engine;

/// <summary>Greedy generation without a cache: the whole sequence is computed again for every token.</summary>
internal static class NaiveGeneration
{
    public static List<(int Token, float[] Logits)> Greedy(LlavaModel model, SequenceRequest request)
    {
        using var mode = inference_mode();
        List<(int Token, float[] Logits)> generated = [];
        while (generated.Count < request.Sampling.MaxNewTokens)
        {
            using var scope = NewDisposeScope();
            var embeddings = Splice(model, request, [.. generated.Select(g => g.Token)]);
            var length = embeddings.shape[0];
            var attention = PaddedAttention.Causal(model.Config.LanguageModel, ones(1, length, dtype: ScalarType.Bool));
            var hidden = model.Language.Forward(embeddings, arange(Scalars.OfInteger(length), ScalarType.Int64), length, attention);
            var logits = MemoryMarshal.Cast<byte, float>(model.Language.Logits(hidden.narrow(0, length - 1, 1)).bytes).ToArray();
            generated.Add((logits.IndexOf(logits.Max()), logits));
        }

        return generated;
    }

    private static Tensor Splice(LlavaModel model, SequenceRequest request, int[] generated)
    {
        List<Tensor> parts = [];
        var image = 0;
        foreach (var id in request.PromptTokens.Concat(generated))
        {
            parts.Add(id == Requests.Image ? Encode(request.Images[image++]) : model.Language.Embed(tensor([(long)id])));
        }

        return cat(parts, 0);

        Tensor Encode(ImageInput input) => model.EncodeImages(tensor(input.Pixels, [1, 3, input.Side, input.Side])).squeeze(0);
    }
}
