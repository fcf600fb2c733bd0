using System.Globalization;

namespace Llava.ModelCore.Training;

/// <summary>A part of the model whose gradients are complete together, by the start of its parameters' names.</summary>
/// <param name="Prefixes">Starts of names; none for everything that no other part has.</param>
internal sealed record ModelPart(params string[] Prefixes)
{
    private const string Layers = "language_model.layers.";

    /// <summary>The head, where it is not the embedding table, and the norm before it.</summary>
    public static ModelPart Head { get; } = new("language_model.lm_head.", "language_model.norm.");

    /// <summary>What is before the first layer: embedding table and projector.</summary>
    public static ModelPart Rest { get; } = new();

    /// <summary>All parts at once.</summary>
    public static ModelPart All { get; } = new("");

    /// <summary>A decoder layer, with the adapters in it.</summary>
    public static ModelPart Layer(int index) => new(string.Create(CultureInfo.InvariantCulture, $"{Layers}{index}."));

    /// <summary>Whether a parameter belongs to it.</summary>
    public bool Has(string parameter) => Prefixes.Length == 0
        ? !parameter.StartsWith(Layers, StringComparison.Ordinal) && !Head.Has(parameter)
        : Prefixes.Any(prefix => parameter.StartsWith(prefix, StringComparison.Ordinal));
}
