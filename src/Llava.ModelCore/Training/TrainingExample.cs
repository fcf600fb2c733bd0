namespace Llava.ModelCore.Training;

/// <summary>A sample as ids and labels, before it is padded.</summary>
/// <param name="Sample">Where it came from.</param>
/// <param name="Ids">Token ids; <see cref="Tokenization.ImagePlaceholder.TokenId"/> where the image goes.</param>
/// <param name="Labels">For each id, the id itself where the model is to learn it, −100 elsewhere.</param>
public sealed record TrainingExample(InstructionSample Sample, int[] Ids, int[] Labels)
{
    /// <summary>Label of a position that is not learned.</summary>
    public const int Ignored = -100;

    /// <summary>Labels that count when only <paramref name="length"/> ids are kept; nothing predicts the first one.</summary>
    public int TargetsWithin(int length) => Labels.Take(length).Skip(1).Count(label => label != Ignored);
}
