namespace Llava.Dashboard.Models;

/// <summary>The folder of models that can be named. The host implements it, because only hosts know where it is and what is in a checkpoint.</summary>
public interface IModelFolder
{
    /// <summary>What it holds, by name.</summary>
    IReadOnlyList<FolderModel> List();

    /// <summary>Tokens that each image takes in a prompt of the model; null where that is not known here.</summary>
    int? ImageTokensOf(string model) => null;
}

/// <summary>A model of the folder.</summary>
/// <param name="Name">Its folder's name, by which jobs ask for it.</param>
/// <param name="Bytes">How much it takes on disk.</param>
/// <param name="ChangedAt">When its configuration was last written.</param>
/// <param name="Parts">What it is made of in the words of its configuration, such as <c>language model</c> and <c>4 layers, hidden 256</c>.</param>
/// <param name="Problem">Why it cannot be read; null where it can.</param>
public sealed record FolderModel(string Name, long Bytes, DateTimeOffset ChangedAt, IReadOnlyList<(string Part, string Description)> Parts, string? Problem = null)
{
    /// <summary>Tokens that an image takes in a prompt; null where that cannot be read.</summary>
    public int? ImageTokens { get; init; }
}

/// <summary>For hosts without such a folder.</summary>
internal sealed class NoModelFolder : IModelFolder
{
    public IReadOnlyList<FolderModel> List() => [];
}
