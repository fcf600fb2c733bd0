namespace Llava.Contracts.Requests;

/// <summary>Looks into a regular expression or a schema, which takes whoever knows the model core: so that a job is refused at once, and not item by item.</summary>
public interface IAnswerShapeCheck
{
    /// <summary>What is wrong with what answers have to look like; empty when it can be used.</summary>
    IEnumerable<Finding> Check(GenerationSettings generation);
}
