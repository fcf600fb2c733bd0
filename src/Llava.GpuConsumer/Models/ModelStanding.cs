using Llava.GpuConsumer.Runners;
using Llava.Ledger.Workers;

namespace Llava.GpuConsumer.Models;

/// <summary>A model of a pool at one moment.</summary>
/// <param name="Served">What the worker announces of it.</param>
/// <param name="IsPreloaded">Whether it was to be loaded at the start.</param>
/// <param name="IsTriedOut">Whether it has answered the question that it is tried out with, since it was last loaded with success.</param>
/// <param name="Trial">What it answered then; null where there is nothing to try out.</param>
public sealed record ModelStanding(ServedModel Served, bool IsPreloaded, bool IsTriedOut, ItemAnswer? Trial);
