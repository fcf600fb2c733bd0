namespace Llava.ModelCore.Scenes;

/// <summary>What a question is about.</summary>
public enum SceneQuestionKind
{
    /// <summary>A caption in one short sentence.</summary>
    Caption,

    /// <summary>A caption with the place of every object.</summary>
    DetailedCaption,

    /// <summary>The colour of one object.</summary>
    Color,

    /// <summary>The shape of one object.</summary>
    Shape,

    /// <summary>How many objects of a kind there are.</summary>
    Count,

    /// <summary>Whether there is an object of a kind: yes or no.</summary>
    Existence,

    /// <summary>Where an object is.</summary>
    Position,

    /// <summary>What is at a place.</summary>
    Content,

    /// <summary>What is on one side of an object.</summary>
    Neighbor,

    /// <summary>Whether an object is on one side of another: yes or no.</summary>
    Relation,

    /// <summary>The colour of the background.</summary>
    Background,
}

/// <summary>A question on a scene and its only right answer.</summary>
/// <param name="Kind">What it is about.</param>
/// <param name="Question">As a user would write it.</param>
/// <param name="Answer">As the model should write it.</param>
public sealed record SceneQuestion(SceneQuestionKind Kind, string Question, string Answer)
{
    /// <summary>The objects that the question speaks of.</summary>
    public IReadOnlyList<SceneMention> Mentions { get; init; } = [];
}

/// <summary>Words of a question that speak of objects.</summary>
/// <param name="End">Where in the question the words end.</param>
/// <param name="Objects">The objects of the scene that fit the words; there may be none, or several.</param>
public sealed record SceneMention(int End, IReadOnlyList<SceneObject> Objects);
