namespace Llava.ModelCore.Scenes;

/// <summary>Colours an object may have; the name in lower case is the word for it.</summary>
public enum SceneColor
{
    /// <summary>Red.</summary>
    Red,

    /// <summary>Green.</summary>
    Green,

    /// <summary>Blue.</summary>
    Blue,

    /// <summary>Yellow.</summary>
    Yellow,

    /// <summary>Purple.</summary>
    Purple,

    /// <summary>Orange.</summary>
    Orange,

    /// <summary>Black.</summary>
    Black,

    /// <summary>White.</summary>
    White,
}

/// <summary>Shapes an object may have; the name in lower case is the word for it.</summary>
public enum SceneShape
{
    /// <summary>A filled disc.</summary>
    Circle,

    /// <summary>A square, its sides nearly upright.</summary>
    Square,

    /// <summary>A triangle that points up.</summary>
    Triangle,

    /// <summary>A star of five points.</summary>
    Star,

    /// <summary>An upright cross with arms of one length.</summary>
    Cross,

    /// <summary>A circle with a hole.</summary>
    Ring,

    /// <summary>A diamond, higher than wide. No scene has one by its seed: it is what the shipped model can still be taught (<see cref="DiamondQuestions"/>).</summary>
    Diamond,
}

/// <summary>Which shapes are drawn.</summary>
public static class SceneShapes
{
    /// <summary>Those that the shipped model knows, in the order of the classes that it learnt.</summary>
    public static IReadOnlyList<SceneShape> Known { get; } = [.. Enum.GetValues<SceneShape>().Where(shape => shape != SceneShape.Diamond)];
}

/// <summary>Plain backgrounds; the name in lower case is the word for it.</summary>
public enum SceneBackground
{
    /// <summary>White or nearly so.</summary>
    White,

    /// <summary>A gray of middle lightness.</summary>
    Gray,

    /// <summary>Black or nearly so.</summary>
    Black,
}

/// <summary>One object of a scene. Lengths are shares of the image's side.</summary>
/// <param name="Color">Its colour.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Cell">Which cell of the 3 x 3 grid it stands in, 0 to 8, row by row. No two objects share a cell.</param>
/// <param name="X">Centre, from the left.</param>
/// <param name="Y">Centre, from the top.</param>
/// <param name="Radius">Half the width of its bounding box.</param>
/// <param name="Rotation">Degrees, clockwise.</param>
public sealed record SceneObject(SceneColor Color, SceneShape Shape, int Cell, float X, float Y, float Radius, float Rotation)
{
    /// <summary>Row of the grid, 0 at the top.</summary>
    public int Row => Cell / 3;

    /// <summary>Column of the grid, 0 at the left.</summary>
    public int Column => Cell % 3;
}
