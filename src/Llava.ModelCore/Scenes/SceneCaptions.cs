using static Llava.ModelCore.Scenes.SceneLanguage;

namespace Llava.ModelCore.Scenes;

/// <summary>Captions of scenes and the prompts that ask for them, LLaVA's own among them.</summary>
public static class SceneCaptions
{
    /// <summary>The prompt of a short caption that a user most likely writes.</summary>
    public const string DefaultPrompt = "Describe this image.";

    private static readonly string[] ShortPrompts =
    [
        "Describe the image.",
        "Describe the picture.",
        "What is in this image?",
        "What do you see?",
        "What does the image show?",
        "Write a caption for this image.",
        "Write a short caption.",
        "Caption this image.",
        "Describe the image concisely.",
        "Provide a brief description of the given image.",
        "Offer a succinct explanation of the picture presented.",
        "Summarize the visual content of the image.",
        "Give a short and clear explanation of the subsequent image.",
        "Share a concise interpretation of the image provided.",
        "Present a compact description of the photo's key features.",
        "Relay a brief, clear account of the picture shown.",
        "Render a clear and concise summary of the photo.",
        "Write a terse but informative summary of the picture.",
        "Create a compact narrative representing the image presented.",
    ];

    private static readonly string[] DetailedPrompts =
    [
        "Describe this image in detail.",
        "Describe the image in detail.",
        "Write a detailed caption.",
        "What do you see in detail?",
        "Provide a detailed description of the given image.",
        "List the objects and where they are.",
    ];

    /// <summary>"A red circle and two blue stars on a gray background."</summary>
    public static string Short(Scene scene)
    {
        var groups = scene.Objects.GroupBy(Name)
            .Select(g => g.Count() == 1 ? Indefinite(g.Key) : $"{Number(g.Count())} {Plural(g.Key)}");
        return Sentence($"{List([.. groups])} on a {Word(scene.Background)} background");
    }

    /// <summary>"There are two objects on a gray background: a red circle at the top left and a blue star in the center."</summary>
    public static string Detailed(Scene scene)
    {
        var objects = scene.Objects.Select(o => $"{Indefinite(Name(o))} {Place(o.Cell)}");
        var subject = scene.Objects.Count == 1 ? "is one object" : $"are {Number(scene.Objects.Count)} objects";
        return Sentence($"There {subject} on a {Word(scene.Background)} background: {List([.. objects])}");
    }

    internal static SceneQuestion AskShort(Scene scene, Random random) => new(
        SceneQuestionKind.Caption,
        random.Chance(0.3) ? DefaultPrompt : random.Pick(ShortPrompts),
        Short(scene));

    internal static SceneQuestion AskDetailed(Scene scene, Random random) =>
        new(SceneQuestionKind.DetailedCaption, random.Pick(DetailedPrompts), Detailed(scene));
}
