// A program of the workload, as its text.
declare module '*.py' {
  const text: string;
  export default text;
}
