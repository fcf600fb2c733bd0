using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Llava.BrowserTests")]
